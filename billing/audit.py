"""The audit: what must always hold of the books, asked of the database, with every difference named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import text

from billing.audit_checks import CHECKS, SOLVENCY, TRIAL_BALANCE
from billing.check import Check
from billing.funding.audit_checks import CLEARING_AGE, STRIPE_DIFFERENCE

DIFFERENCES_SHOWN = 100
MOST_CLEARING_HOURS = 24  # that a card payment may wait for its movement without a warning


class Executes(Protocol):
    """Whatever runs SQL: a SQLAlchemy session or connection."""

    def execute(self, statement: Any, /) -> Any:
        """Run one statement and return its result."""
        ...


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found: at most the first hundred differences, each a row that names its place in the books."""

    invariant: str
    name: str
    differences: tuple[dict[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that informs and warns; a value of None is explained by its reason."""

    invariant: str
    name: str
    value: dict[str, int] | None
    reason: str = ""
    most: int | None = None
    unit: str = "minor units"

    @property
    def warns(self) -> bool:
        """Tell whether a currency's figure is below zero, or above its most."""
        return any(one < 0 or (self.most is not None and one > self.most) for one in (self.value or {}).values())


@dataclass(frozen=True, slots=True)
class TrialLine:
    """What all owners of one place of the books were debited and credited in one currency, since the beginning."""

    currency: str
    account: int
    name: str
    side: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Every check and every figure of one audit."""

    checks: tuple[CheckResult, ...]
    figures: tuple[Figure, ...]

    @property
    def ok(self) -> bool:
        """Tell whether every check holds; figures never decide."""
        return all(check.ok for check in self.checks)


def audit(connection: Executes, checks: Sequence[Check] = CHECKS) -> AuditReport:
    """Check the whole ledger; reads only, one snapshot a check, so it may run beside live traffic.

    `checks` lets an upper floor add its own with the same shape.
    """
    return AuditReport(tuple(ask_check(connection, check) for check in checks), figures_of(connection))


def ask_check(connection: Executes, check: Check) -> CheckResult:
    """Ask one check of the database; reads the whole of its tables."""
    rows = connection.execute(text(check.query)).mappings().fetchmany(DIFFERENCES_SHOWN)
    return CheckResult(check.invariant, check.name, tuple(dict(row) for row in rows))


def figures_of(connection: Executes) -> tuple[Figure, ...]:
    """Return the figures that inform; reads every entry."""
    solvency = {row.currency: int(row.solvency_minor) for row in connection.execute(text(SOLVENCY))}
    ages = {row.currency: int(row.hours) for row in connection.execute(text(CLEARING_AGE))}
    differences = {row.currency: int(row.minor) for row in connection.execute(text(STRIPE_DIFFERENCE))}
    unread = "the balance at Stripe was never read"
    return (
        Figure("I7", "clearing_age", ages, most=MOST_CLEARING_HOURS, unit="hours"),
        Figure("I8", "stripe_difference", differences or None, unread, most=0),
        Figure("I9", "solvency", solvency),
    )


def trial_balance(connection: Executes) -> list[TrialLine]:
    """Sum the debits and credits of every place of the books, per currency; reads every entry in one snapshot."""
    return [TrialLine(*row) for row in connection.execute(text(TRIAL_BALANCE))]
