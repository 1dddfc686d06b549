"""What falls due in the market, done whenever somebody asks: the clock every minute, or `run-due`."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.db import db, transaction
from core.http import business_clock
from core.idempotency import forget
from core.identity import accounts_of_kind
from core.jobs import forget_slots, job
from core.outbox import announce
from marketplace.audit import audit_all
from marketplace.leads.disputes.due import STEPS as DISPUTE_STEPS
from marketplace.leads.settlement import mature_batch, settle_batch

log = logging.getLogger(__name__)


def run_due(as_of: datetime) -> dict[str, int]:
    """Do all that is due by then, each batch in a transaction of its own, and return how many of each.

    Disputes come first: a decision may let a sale be settled in the same run.
    """
    disputes = {name: _drain(step, as_of) for name, step in DISPUTE_STEPS.items()}
    return disputes | {"settlements": _drain(settle_batch, as_of), "reserves": _drain(mature_batch, as_of)}


def _drain(batch: Callable[[datetime], int], as_of: datetime) -> int:
    total = 0
    while True:
        with transaction():
            done = batch(as_of)
        if not done:
            return total
        total += done


@job("market.due", every=timedelta(minutes=1))
def settle_what_is_due() -> None:
    """Settle and mature what is due by the business clock."""
    run_due(business_clock().now())


@job("market.audit", every=timedelta(days=1))
def prove_the_books() -> None:
    """Audit the books every night; what is wrong is logged by name and told to every operator."""
    report = audit_all(db.session)
    wrong = [check.name for check in report.checks if not check.ok]
    if wrong:
        log.critical("the books do not hold: %s", "; ".join(wrong))
        now = datetime.now(UTC).isoformat()
        with transaction():
            accounts = [str(account.id) for account in accounts_of_kind("operator")]
            announce("notice", {"event": "books.wrong", "at": now, "accounts": accounts, "data": {"checks": wrong}})


@job("core.tidy", every=timedelta(hours=1))
def tidy() -> None:
    """Forget answers older than a day and slots older than two; both by real time."""
    now = datetime.now(UTC)
    with transaction():
        forget(now - timedelta(hours=24))
        forget_slots(now - timedelta(days=2))
