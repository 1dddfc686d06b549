"""What terms consist of: the settings in which the operator says each tier's, and what may be said for one account."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.defaults import NOTHING, Said, faults_in_exchange, setting
from core.errors import Fault

TIER_NAMES = ("new", "standard", "trusted", "top")  # from the lowest to the highest
Own = Mapping[str, int]
"""What is said for one account, by field; the rest is the tier's."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what a publisher is paid: share of the price, days held beyond the vertical's, reserve, and payouts.

    A first payout that is reviewed pays `first_payout_most_minor` at most. Below `threshold_minor` nothing is paid by
    SEPA or Stripe, below `threshold_other_minor` not by other ways. The platform keeps at least `min_margin_minor` of
    a sale, whatever the share is.
    """

    share_bp: int
    extra_hold_days: int
    reserve_bp: int
    reserve_days: int
    payouts_a_month: int
    on_request: bool
    threshold_minor: int
    threshold_other_minor: int
    first_payout_reviewed: bool
    first_payout_most_minor: int
    min_margin_minor: int


_OF_ALL = {
    "threshold_minor": "payout.threshold_minor",
    "threshold_other_minor": "payout.threshold_other_minor",
    "first_payout_most_minor": "payout.new_first_most_minor",
    "min_margin_minor": "margin.least_minor",
}
FIELDS: tuple[str, ...] = Terms.__slots__
OWN_FIELDS = tuple(name for name in FIELDS if name != "min_margin_minor")
SWITCHES = ("on_request", "first_payout_reviewed")


def key_of(tier: str, field: str) -> str:
    """Return the setting that says a tier's field; some say it for all tiers."""
    return _OF_ALL.get(field, f"tier.{tier}.{field}")


TERMS_KEYS = tuple(dict.fromkeys(key_of(tier, field) for tier in TIER_NAMES for field in FIELDS))


def tier_terms(tier: str, said: Said = NOTHING) -> Terms:
    """Return what a tier grants, by what the operator says for the exchange."""
    return Terms(**{field: _number(key_of(tier, field), said) for field in FIELDS})


def terms_with(granted: Terms, own: Own) -> Terms:
    """Return what holds for an account: what is said for it, and the tier's for the rest."""
    return Terms(**(asdict(granted) | dict(own)))


def faults_in_own(own: Own) -> Iterator[Fault]:
    """Name every field that cannot be said for one account, or not with this value."""
    for field, value in own.items():
        if field not in OWN_FIELDS:
            yield Fault(field, "unknown_field", f"Choose from {', '.join(OWN_FIELDS)}.")
            continue
        for fault in faults_in_exchange({key_of("new", field): value}):
            yield Fault(field, fault.code, fault.message)


def _number(key: str, said: Said) -> Any:
    value = setting(key, exchange=said)
    assert isinstance(value, int), f"{key} is a list"
    return value
