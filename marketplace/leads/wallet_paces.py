"""What each wallet spends a day, counted from what its owner bought in the last seven days."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from billing import note_paces, wallets_to_count
from core.db import db
from marketplace.leads.models import Sale

DAYS = 7
GIVEN_BACK = ("returned", "refused", "failed")


def count_paces(as_of: datetime) -> int:
    """Count the spending of the wallets whose turn it is, in the session's transaction; return how many."""
    keys = wallets_to_count(as_of)
    spent = _spent(list({account_id for account_id, _ in keys}), as_of)
    note_paces({key: spent.get(key, 0) // DAYS for key in keys}, as_of)
    return len(keys)


def _spent(buyers: list[UUID], as_of: datetime) -> dict[tuple[UUID, str], int]:
    """Sum what buyers paid in the last seven days, less what came back, by buyer and currency."""
    query = select(Sale.buyer_id, Sale.currency, func.sum(Sale.price_minor - Sale.credited_minor)).where(
        Sale.buyer_id.in_(buyers), Sale.sold_at > as_of - timedelta(days=DAYS), Sale.sold_at <= as_of,
        Sale.state.not_in(GIVEN_BACK),
    )  # fmt: skip
    found = db.session.execute(query.group_by(Sale.buyer_id, Sale.currency))
    return {(buyer_id, currency): int(minor) for buyer_id, currency, minor in found}
