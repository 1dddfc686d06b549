"""The words that pages have for terms: tiers, what a version grants, what a tier asks for, what a review decided."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from affiliates import SWITCHES, Condition, Terms, TermsVersion
from core.i18n import money, number, percent
from core.money import BASIS_POINTS, Money
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.web.words import Word

TIERS = {"new": _l("New"), "standard": _l("Standard"), "trusted": _l("Trusted"), "top": _l("Top")}
SCHEDULE_WORDS = {
    1: _l("monthly, on the 1st"), 2: _l("twice a month, on the 1st and the 16th"), 4: _l("weekly, on Mondays"),
}  # fmt: skip
FIELD_WORDS = {
    "share_bp": _l("Share of the price"),
    "extra_hold_days": _l("Days held beyond the vertical's"),
    "reserve_bp": _l("Kept in reserve"),
    "reserve_days": _l("Days that the reserve is kept"),
    "payouts_a_month": _l("Payouts"),
    "on_request": _l("Paid on request on any day"),
    "threshold_minor": _l("Least payout by SEPA or Stripe"),
    "threshold_other_minor": _l("Least payout by other ways"),
    "first_payout_reviewed": _l("First payout reviewed"),
    "first_payout_most_minor": _l("First payout at most"),
    "min_margin_minor": _l("What the exchange keeps of a sale at least"),
}
CONDITIONS = {
    "age_days": _l("Days since admission"),
    "settled_sales": _l("Settled sales"),
    "judged_sales": _l("Sales that ended lately"),
    "upheld_share": _l("Share of them that went back, below"),
}
VERDICTS = {
    "promoted": Word("won", _l("Raised")),
    "demoted": Word("refused", _l("Lowered")),
    "kept": Word("neutral", _l("Kept")),
    "waits": Word("held", _l("Waits")),
    "pinned": Word("neutral", _l("Pinned by an operator")),
}


def granted(version: TermsVersion, currency: str) -> Iterator[tuple[Any, str, bool]]:
    """Yield what a version grants: the word, the value, and whether it was said for this account alone."""
    for field, value in asdict(version.terms).items():
        if field != "first_payout_most_minor" or version.terms.first_payout_reviewed:
            yield FIELD_WORDS[field], value_said(field, value, currency), field in version.own


def value_said(field: str, value: int, currency: str) -> str:
    """Write the value of a field as people read it."""
    if field in SWITCHES:
        return str(gettext("yes") if value else gettext("no"))
    if field.endswith("_bp"):
        return percent(value / BASIS_POINTS)
    if field.endswith("_minor"):
        return money(Money(value, currency))
    return str(SCHEDULE_WORDS[value]) if field == "payouts_a_month" else number(value)


def condition_said(condition: Condition) -> tuple[Any, str, str]:
    """Say a condition: what it counts, what there is, and what is needed."""
    write = (lambda bp: percent(bp / BASIS_POINTS)) if condition.code == "upheld_share" else number
    return CONDITIONS[condition.code], write(condition.has), write(condition.needs)


def summary(terms: Terms) -> str:
    """Say in one line what matters most of some terms."""
    return str(gettext(
        "%(share)s of the price, %(part)s of it kept %(days)s days, held %(longer)s days longer than usual",
        share=percent(terms.share_bp / BASIS_POINTS), part=percent(terms.reserve_bp / BASIS_POINTS),
        days=number(terms.reserve_days), longer=number(terms.extra_hold_days),
    ))  # fmt: skip


def tier_word(code: str) -> Any:
    """Return what a tier is called."""
    return TIERS.get(code, code)
