"""When each step of a dispute is due, from the rules and the instant of the step before."""

from datetime import datetime, timedelta

from marketplace.catalog.dispute_rules import DisputeRules

SATURDAY = 5


def after_business_days(at: datetime, days: int) -> datetime:
    """Return the same time of day so many business days later; Saturdays and Sundays of the instant's zone are none."""
    while days:
        at += timedelta(days=1)
        days -= at.weekday() < SATURDAY
    return at


def hearing_ends(rules: DisputeRules, opened_at: datetime) -> datetime:
    """Return until when the publisher is heard."""
    return opened_at + timedelta(hours=rules.hearing_hours)


def decision_due(rules: DisputeRules, hear_until: datetime) -> datetime:
    """Return when an operator's silence decides."""
    return after_business_days(hear_until, rules.silence_business_days)


def appeal_ends(rules: DisputeRules, decided_at: datetime) -> datetime:
    """Return until when the losing side may appeal."""
    return decided_at + timedelta(days=rules.appeal_days)


def appeal_due(rules: DisputeRules, appealed_at: datetime) -> datetime:
    """Return when silence lets the decision stand."""
    return after_business_days(appealed_at, rules.appeal_business_days)
