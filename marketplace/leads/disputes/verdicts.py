"""What a machine can decide of a dispute from dated facts, in words that both sides read; what it cannot, people do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

UPHELD, REJECTED = "upheld", "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A machine's decision and the evidence that decided it."""

    state: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """When the buyer had the person before: by an earlier sale, or on a list uploaded before this one."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a disputed sale; `misses` are the order's conditions that the stored lead does not meet."""

    sub_reason: str | None
    order_version: int
    misses: str = ""
    earlier: Earlier | None = None


Check = Callable[[Facts], Verdict | None]
_CHECKS: dict[str, Check] = {}


def checks(reason: str) -> Callable[[Check], Check]:
    """Register what judges a reason; a reason has one check."""

    def register(check: Check) -> Check:
        _CHECKS[reason] = check
        return check

    return register


def verdict_of(reason: str, facts: Facts) -> Verdict | None:
    """Judge a dispute; None leaves it to a person, as does a reason without a check."""
    check = _CHECKS.get(reason)
    return check(facts) if check else None


@checks("out_of_criteria")
def _criteria(facts: Facts) -> Verdict | None:
    """Recompute the order's conditions; only a claim about them alone is rejected when they are met."""
    if facts.misses:
        return Verdict(UPHELD, f"The lead does not meet version {facts.order_version} of the order: {facts.misses}")
    if facts.sub_reason == "order_conditions":
        return Verdict(REJECTED, f"The lead meets every condition of version {facts.order_version} of the order.")
    return None


@checks("duplicate")
def _duplicate(facts: Facts) -> Verdict | None:
    """Uphold what is proved by a date before the sale; what is not found here may be known to a person."""
    if facts.earlier:
        return Verdict(UPHELD, f"The buyer had this person on {facts.earlier.at.isoformat()}: {facts.earlier.source}.")
    if facts.sub_reason == "on_own_list":
        return Verdict(REJECTED, "No list that the buyer uploaded before the sale has this person.")
    if facts.sub_reason == "bought_here":
        return Verdict(REJECTED, "No earlier sale to this buyer within the vertical's window is of this person.")
    return None
