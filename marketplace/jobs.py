"""What falls due in the market, done whenever somebody asks: the clock every minute, or `run-due`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.db import transaction
from core.http import business_clock
from core.idempotency import forget
from core.jobs import forget_slots, job
from marketplace.leads.settlement import mature_batch, settle_batch


def run_due(as_of: datetime) -> dict[str, int]:
    """Do all that is due by then, each batch in a transaction of its own, and return how many of each."""
    return {"settlements": _drain(settle_batch, as_of), "reserves": _drain(mature_batch, as_of)}


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


@job("core.tidy", every=timedelta(hours=1))
def tidy() -> None:
    """Forget answers older than a day and slots older than two; both by real time."""
    now = datetime.now(UTC)
    with transaction():
        forget(now - timedelta(hours=24))
        forget_slots(now - timedelta(days=2))
