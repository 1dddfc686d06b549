"""Settlement: a sale whose release date has come and that nobody disputes is paid, in batches, exactly once.

A batch is one call of a SQL function in one transaction. Whatever kills a worker undoes only its batch, and the next
run begins with what is left, so nothing needs to be remembered.
"""

from datetime import datetime

from sqlalchemy import text

from billing import mature_reserves, net_owed
from core.db import db

BATCH = 500  # longer batches settle hardly faster, and hold the buyers' wallets for longer
ACTOR = "system:settlement"
_SETTLE = text("SELECT marketplace.settle_due(:as_of, :limit, :actor)")


def settle_batch(as_of: datetime) -> int:
    """Settle up to a batch of the sales that are due by then, the oldest first, and return how many.

    Rows that another worker settles at the moment are passed over. A hold that was resolved before the sale knew of it
    is settled all the same; any other answer of the ledger raises, and the batch is undone.
    """
    settled: int = db.session.execute(_SETTLE, {"as_of": as_of, "limit": BATCH, "actor": ACTOR}).scalar_one()
    return settled


def mature_batch(as_of: datetime) -> int:
    """Move up to a batch of reserves whose date has come to what is payable, and return how many."""
    return mature_reserves(as_of, BATCH, ACTOR)


def net_batch(as_of: datetime) -> int:
    """Net what up to a batch of publishers owe against what has become payable to them, and return how many."""
    return net_owed(BATCH, ACTOR, as_of)
