"""Who pays for a wallet: the lock under which that is decided, the saved cards, and the one that is charged."""

from uuid import UUID

from sqlalchemy import func, select

from billing.funding.recharge.models import Recharge, SavedCard
from core.db import db


def lock_payer(account_id: UUID) -> None:
    """Let nobody else decide what an account pays by card until this transaction ends."""
    key = func.hashtextextended(f"billing.top_up:{account_id}", 0)
    db.session.execute(select(func.pg_advisory_xact_lock(key)))


def cards_of(account_id: UUID) -> list[SavedCard]:
    """Return the cards that an account has saved and not removed, the newest first."""
    query = select(SavedCard).where(SavedCard.account_id == account_id, SavedCard.removed_at.is_(None))
    return list(db.session.scalars(query.order_by(SavedCard.saved_at.desc(), SavedCard.id.desc())))


def card_for(row: Recharge, cards: list[SavedCard]) -> SavedCard | None:
    """Return the card that its owner chose, the newest without a choice; None when it was removed."""
    if row.card_id is None:
        return cards[0] if cards else None
    return next((card for card in cards if card.id == row.card_id), None)
