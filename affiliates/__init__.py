"""The network of publishers: who they are, on which terms they are paid. This is its face."""

from affiliates.earnings import Earnings, earnings_in
from affiliates.models import Publisher
from affiliates.payouts.calendar import arrives_on
from affiliates.payouts.deciding import SENTENCES, PayoutRules
from affiliates.payouts.rules import payout_rules_of
from affiliates.payouts.runs import NextPayout, ask_payout, draft_due_payouts, next_payout_of
from affiliates.publishers import TIERS, Terms, change_publisher, get_publisher, open_publisher

__all__ = [
    "SENTENCES",
    "TIERS",
    "Earnings",
    "NextPayout",
    "PayoutRules",
    "Publisher",
    "Terms",
    "arrives_on",
    "ask_payout",
    "change_publisher",
    "draft_due_payouts",
    "earnings_in",
    "get_publisher",
    "next_payout_of",
    "open_publisher",
    "payout_rules_of",
]
