"""The network of publishers: who they are, on which terms they are paid. This is its face."""

from affiliates.earnings import Earnings, earnings_in
from affiliates.models import Publisher
from affiliates.publishers import change_publisher, get_publisher, open_publisher
from affiliates.terms.changing import REASON_LENGTH, Wish, change_terms, renew_terms
from affiliates.terms.deciding import RULE_KEYS, Condition, Figures, Progress, Rules, progress_of, rules_in
from affiliates.terms.fields import FIELDS, OWN_FIELDS, SWITCHES, TERMS_KEYS, TIER_NAMES, Own, Terms, tier_terms
from affiliates.terms.models import TermsVersion, TierReview
from affiliates.terms.reading import (
    lowered_at_of,
    opened_at_of,
    present_terms,
    present_terms_of,
    rank_of,
    reviews_of,
    terms_at,
    terms_history,
)
from affiliates.terms.reviewing import due_for_review, review
from affiliates.terms.schedule import SCHEDULES, is_run_day, next_run_day

__all__ = [
    "FIELDS",
    "OWN_FIELDS",
    "REASON_LENGTH",
    "RULE_KEYS",
    "SCHEDULES",
    "SWITCHES",
    "TERMS_KEYS",
    "TIER_NAMES",
    "Condition",
    "Earnings",
    "Figures",
    "Own",
    "Progress",
    "Publisher",
    "Rules",
    "Terms",
    "TermsVersion",
    "TierReview",
    "Wish",
    "change_publisher",
    "change_terms",
    "due_for_review",
    "earnings_in",
    "get_publisher",
    "is_run_day",
    "lowered_at_of",
    "next_run_day",
    "open_publisher",
    "opened_at_of",
    "present_terms",
    "present_terms_of",
    "progress_of",
    "rank_of",
    "renew_terms",
    "review",
    "reviews_of",
    "rules_in",
    "terms_at",
    "terms_history",
    "tier_terms",
]
