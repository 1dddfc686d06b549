"""The rules of disputes as data: each reason with its window, its evidence and who decides; a vertical narrows them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from core.defaults import DefaultsLoader, Value, filled, find_default, shipped
from core.errors import Fault

RULES_FILE = Path(__file__).parent / "rules" / "disputes.yaml"

Hours = Annotated[int, Meta(ge=1, le=8784)]
BusinessDays = Annotated[int, Meta(ge=1, le=60)]


class Attempts(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a person must have been called, and on how many days."""

    calls: Annotated[int, Meta(ge=1, le=50)]
    days: Annotated[int, Meta(ge=1, le=50)]


class Reason(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One reason: its window counts from delivery, null is the vertical's; `credit_bp` is what upholding returns.

    `machine` names the sub-reasons that a machine decides for certain, the first for a claim that names none. Until
    `operator_days` after delivery an operator may claim by it what is settled; `robots` counts for the breaker. A
    reason `without_return` counts for orders too that gave up the right of return.
    """

    says: str
    sub_reasons: dict[str, str]
    evidence: Literal["note", "file", "attempts"]
    window_hours: Hours | None = None
    from_hours: Annotated[int, Meta(ge=0, le=8784)] = 0
    beyond_vertical: bool = False
    enabled: bool = True
    machine: tuple[str, ...] = ()
    attempts: Attempts | None = None
    credit_bp: Annotated[int, Meta(ge=1, le=10_000)] = 10_000
    operator_days: Annotated[int, Meta(ge=1, le=1095)] | None = None
    robots: bool = False
    without_return: bool = False

    def is_provable(self, sub_reason: str | None) -> bool:
        """Tell whether a machine can decide such a claim alone."""
        return bool(self.machine) and (sub_reason is None or sub_reason in self.machine)


class Narrowed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a vertical says otherwise of a reason: whether it counts there, and a shorter window."""

    enabled: bool | None = None
    window_hours: Hours | None = None


class ReturnCap(Struct, frozen=True, forbid_unknown_fields=True):
    """Which share of a buyer's sales of so many days may come back, once he has so many."""

    share_bp: Annotated[int, Meta(ge=0, le=10_000)]
    days: Annotated[int, Meta(ge=1, le=366)]
    least_sales: Annotated[int, Meta(ge=1)]


class FalseClaims(Struct, frozen=True, forbid_unknown_fields=True):
    """Above which share of rejected claims, of at least so many decided in so many days, a claim needs a file and costs
    a fee when it is rejected; a currency that is not listed has no fee.
    """

    share_bp: Annotated[int, Meta(ge=0, le=10_000)]
    days: Annotated[int, Meta(ge=1, le=366)]
    least_claims: Annotated[int, Meta(ge=1)]
    fee_minor: Annotated[int, Meta(ge=0)]
    currencies: tuple[str, ...]


class SourceBreaker(Struct, frozen=True, forbid_unknown_fields=True):
    """From which shares of upheld claims a source is warned or paused, and from how many sales on."""

    days: Annotated[int, Meta(ge=1, le=366)]
    least_sales: Annotated[int, Meta(ge=1)]
    warn_bp: Annotated[int, Meta(ge=0, le=10_000)]
    pause_bp: Annotated[int, Meta(ge=0, le=10_000)]
    robots_least_sales: Annotated[int, Meta(ge=1)]
    robots_bp: Annotated[int, Meta(ge=0, le=10_000)]


class DisputeRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All rules of disputes, as the operator's file has them."""

    hearing_hours: Hours
    decision_business_days: BusinessDays
    silence_business_days: BusinessDays
    appeal_days: Annotated[int, Meta(ge=1, le=60)]
    appeal_business_days: BusinessDays
    return_cap: ReturnCap
    false_claims: FalseClaims
    source_breaker: SourceBreaker
    files_a_side: Annotated[int, Meta(ge=0, le=50)]
    file_bytes: Annotated[int, Meta(ge=1, le=50_000_000)]
    reasons: dict[str, Reason]


@cache
def dispute_rules() -> DisputeRules:
    """Return the rules with the numbers that come with the program."""
    return rules_with(shipped)


def rules_with(value_of: Callable[[str], Value]) -> DisputeRules:
    """Return the rules with what each setting is that they name, as `value_of` has it."""
    return msgspec.convert(filled(_shipped_rules(), value_of), DisputeRules)


def read_rules(text: str) -> DisputeRules:
    """Read rules from YAML; ValueError for what is none, as nothing can be traded under it."""
    return msgspec.convert(filled(_read(text)), DisputeRules)


@cache
def _shipped_rules() -> Any:
    return _read(RULES_FILE.read_text(encoding="utf-8"))


def _read(text: str) -> Any:
    return yaml.load(text, DefaultsLoader)  # noqa: S506  # a SafeLoader with one tag


def reason_in(reason: Reason, narrowed: Mapping[str, Narrowed], name: str) -> Reason:
    """Return the reason as it holds in a vertical that narrows some of them.

    Whether one counts is taken from here only where the table of defaults has no setting of it, which has been
    resolved by then.
    """
    own = narrowed.get(name)
    if own is None:
        return reason
    is_setting = find_default(f"dispute.{name}.enabled") is not None
    enabled = reason.enabled if own.enabled is None or is_setting else own.enabled
    hours = [each for each in (own.window_hours, reason.window_hours) if each is not None]
    return msgspec.structs.replace(reason, enabled=enabled, window_hours=min(hours, default=None))


def closes_at(reason: Reason, delivered_at: datetime, window_ends_at: datetime) -> datetime:
    """Return when a claim comes too late: the smaller of the reason's window and the sale's, whose is pinned to it."""
    if reason.window_hours is None:
        return window_ends_at
    own = delivered_at + timedelta(hours=reason.window_hours)
    return own if reason.beyond_vertical else min(own, window_ends_at)


def narrowing_faults(narrowed: Mapping[str, Narrowed], window_hours: int, rules: DisputeRules) -> Iterator[Fault]:
    """Name what a vertical loosens: a reason nobody knows, or a window longer than the operator's or its own."""
    for name, own in narrowed.items():
        reason = rules.reasons.get(name)
        if reason is None:
            yield Fault(f"disputes.{name}", "not_allowed_value", f"Choose from {', '.join(rules.reasons)}.")
            continue
        most, least = _most_hours(reason, window_hours), reason.from_hours
        if own.window_hours is not None and own.window_hours > most:
            says = f"Send at most {most} hours, not {own.window_hours}: no window may be longer than the operator's."
            yield Fault(f"disputes.{name}.window_hours", "window_loosened", says)
        elif own.enabled and (own.window_hours or most) <= least:
            says = f"Send more than {least} hours: it opens {least} h after delivery and would close before."
            yield Fault(f"disputes.{name}.window_hours", "windows_not_nested", says)


def nesting_faults(window_hours: int, decision_days: int, rules: DisputeRules) -> Iterator[Fault]:
    """Name what does not nest: hearing and decision must fit into the days that a sale is held beyond its window."""
    needed = rules.hearing_hours + 24 * rules.decision_business_days
    if 24 * decision_days < needed:
        says = (
            f"Send at least {-(-needed // 24)}: hearing {rules.hearing_hours} h and decision"
            f" {24 * rules.decision_business_days} h need {needed} h after a window of {window_hours} h,"
            f" and the sale is held {24 * decision_days} h beyond it."
        )
        yield Fault("decision_days", "windows_not_nested", says)


def base_hold_days(window_hours: int, decision_days: int) -> int:
    """Return how long every sale is held at least: its window in whole days, and the days for a decision."""
    return -(-window_hours // 24) + decision_days


def _most_hours(reason: Reason, window_hours: int) -> int:
    most = reason.window_hours or window_hours
    return most if reason.beyond_vertical else min(most, window_hours)
