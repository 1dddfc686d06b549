"""Deciding whether a wallet tops itself up now, and by how much; and how long a declined card is left alone. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Code = Literal["charge", "off", "in_flight", "suspended", "charged_back", "paused", "no_card", "card_expired",
               "other_card", "enough", "no_pace", "waiting", "too_many_tries", "owes", "daily_limit",
               "new_card_limit"]  # fmt: skip
Pause = Literal["declined", "authentication"]
LEAST_MINOR = 100  # a charge below it is not worth its fee
WAITS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))  # after the first, second, third decline in a row
TOLD: frozenset[Code] = frozenset((
    "suspended", "charged_back", "no_card", "card_expired", "too_many_tries", "owes", "daily_limit", "new_card_limit",
))  # what keeps a wallet from topping itself up though it is low, and is not told elsewhere  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner wants: the threshold (None: by pace), and an amount, or a target (neither: by pace)."""

    is_on: bool
    threshold_minor: int | None
    amount_minor: int | None
    target_minor: int | None
    daily_most_minor: int


@dataclass(frozen=True, slots=True)
class Pace:
    """What is spent a day, and the days of it below which and up to which a wallet fills itself."""

    daily_minor: int
    below_days: int
    to_days: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the wallet stands: what can be spent, what was charged today by itself, and what is in the way.

    `due_minor` is what it owes and should have paid by now, `tries_left` how often its account's cards may still be
    declined within a day.
    """

    spendable_minor: int
    charged_today_minor: int = 0
    most_minor: int = 10**9  # of one top-up
    newcomer_left_minor: int | None = None
    is_suspended: bool = False
    has_chargeback: bool = False
    is_in_flight: bool = False
    has_card: bool = True
    is_card_expired: bool = False
    paused_why: Pause | None = None
    not_before: datetime | None = None
    tries_left: int = 1
    due_minor: int = 0
    charges_today: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Charge so much, or why nothing is charged."""

    code: Code
    minor: int = 0


def threshold_of(terms: Terms, pace: Pace) -> int:
    """Return below how much is topped up; 0, which is never, where nothing was spent and nothing is said.

    By pace it stays so far below a named target that what is missing is worth a charge.
    """
    by_pace = pace.daily_minor * pace.below_days
    if terms.target_minor is not None:
        by_pace = min(by_pace, max(terms.target_minor - LEAST_MINOR, 0))
    return terms.threshold_minor or by_pace


def decide(terms: Terms, pace: Pace, standing: Standing, at: datetime) -> Decision:
    """Decide whether to charge now; the first thing that stands in the way is the reason."""
    blocked = _blocked(terms, standing)
    if blocked is not None:
        return Decision(blocked)
    threshold = threshold_of(terms, pace)
    if threshold == 0:
        return Decision("no_pace")
    if standing.spendable_minor >= threshold:
        return Decision("enough")
    hindered = _hindered(standing, at)
    return Decision(hindered) if hindered is not None else _sized(terms, pace, standing)


def withheld(terms: Terms, pace: Pace, standing: Standing, at: datetime) -> Code | None:
    """Return why a charge that was ordered is not to be sent any more; None when it is still wanted.

    In the standing it is itself under way, counted as a try, and as today's when it was ordered today.
    """
    others = replace(standing, is_in_flight=False, charges_today=standing.charges_today - 1,
                     tries_left=standing.tries_left + 1)  # fmt: skip
    found = _blocked(terms, others) or _hindered(others, at)
    if found is not None:
        return found
    if standing.spendable_minor >= threshold_of(terms, pace):
        return "enough"
    if standing.charged_today_minor > terms.daily_most_minor:
        return "daily_limit"
    return "new_card_limit" if (standing.newcomer_left_minor or 0) < 0 else None


def wanted(terms: Terms, pace: Pace, spendable_minor: int, due_minor: int = 0) -> int:
    """Return how much a charge would be, were there no limits; a target is reached after paying what is due."""
    if terms.amount_minor is not None:
        return terms.amount_minor
    target = terms.target_minor or max(pace.daily_minor * pace.to_days, threshold_of(terms, pace) + LEAST_MINOR)
    return max(target - spendable_minor + due_minor, 0)


def after_decline(declines: int, at: datetime) -> datetime | None:
    """Return when a card may be tried again after so many declines in a row; None: not before its owner says so."""
    return at + WAITS[declines - 1] if declines <= len(WAITS) else None


def _blocked(terms: Terms, standing: Standing) -> Code | None:
    if not terms.is_on:
        return "off"
    if standing.is_in_flight:
        return "in_flight"
    if standing.is_suspended:
        return "suspended"
    if standing.has_chargeback:
        return "charged_back"
    return "paused" if standing.paused_why is not None else None


def _hindered(standing: Standing, at: datetime) -> Code | None:
    if not standing.has_card:
        return "no_card"
    if standing.is_card_expired:
        return "card_expired"
    if standing.not_before is not None and at < standing.not_before:
        return "waiting"
    if standing.tries_left <= 0:
        return "too_many_tries"
    return "owes" if standing.due_minor > 0 and standing.charges_today > 0 else None


def _sized(terms: Terms, pace: Pace, standing: Standing) -> Decision:
    """Charge a fixed amount whole or not at all, and up to a target as much as the limits leave."""
    minor = min(wanted(terms, pace, standing.spendable_minor, standing.due_minor), standing.most_minor)
    if minor < LEAST_MINOR:
        return Decision("enough")
    limits: list[tuple[Code, int]] = [("daily_limit", terms.daily_most_minor - standing.charged_today_minor)]
    if standing.newcomer_left_minor is not None:
        limits.append(("new_card_limit", standing.newcomer_left_minor))
    for code, left in limits:
        if minor > left:
            if terms.amount_minor is not None or left < LEAST_MINOR:
                return Decision(code)
            minor = left
    return Decision("charge", minor)
