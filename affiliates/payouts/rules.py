"""By which rules a publisher is paid: those of his tier."""

from affiliates.models import Publisher
from affiliates.payouts.calendar import Schedule
from affiliates.payouts.deciding import PayoutRules
from core.defaults import default

# How often a tier is paid in a month.
OFTEN: dict[int, Schedule] = {1: "monthly", 2: "twice_monthly", 4: "weekly"}


def payout_rules_of(publisher: Publisher) -> PayoutRules:
    """Return the rules by which a publisher is paid at present."""
    tier = publisher.tier
    return PayoutRules(
        schedule=OFTEN[default(f"payout.{tier}.a_month")],
        threshold_minor=default("payout.threshold_minor"),
        threshold_other_minor=default("payout.threshold_other_minor"),
        small_after_days=default("payout.small_after_days"),
        first_most_minor=default("payout.new_first_most_minor") if tier == "new" else None,
        on_request=bool(default(f"payout.{tier}.on_request")),
    )
