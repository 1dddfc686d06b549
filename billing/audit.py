"""The audit: what must always hold of the books, asked of the database, with every difference named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import text

from billing.audit_checks import CHECKS, SOLVENCY, Check

DIFFERENCES_SHOWN = 100


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

    @property
    def warns(self) -> bool:
        """Tell whether a currency's figure is below zero."""
        return any(minor < 0 for minor in (self.value or {}).values())


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
    solvency = {row.currency: int(row.solvency_minor) for row in connection.execute(text(SOLVENCY))}
    no_stripe = "no balance transaction of Stripe is booked by this version"
    figures = (
        Figure("I7", "clearing_age", None, no_stripe),
        Figure("I8", "stripe_difference", None, no_stripe),
        Figure("I9", "solvency", solvency),
    )
    return AuditReport(tuple(_ask(connection, check) for check in checks), figures)


def _ask(connection: Executes, check: Check) -> CheckResult:
    rows = connection.execute(text(check.query)).mappings().fetchmany(DIFFERENCES_SHOWN)
    return CheckResult(check.invariant, check.name, tuple(dict(row) for row in rows))
