"""What banks declined of an account's saved cards: counted over its wallets, and over a card that is saved anew."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from billing.funding.models import TopUp
from billing.funding.recharge.deciding import WAITS
from billing.funding.recharge.models import SavedCard
from core.db import db
from core.overrides import overrides

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a card was declined since it last paid, which charge last and when, and how often cards may yet be."""

    left: int
    declines: int = 0
    last_id: UUID | None = None
    last_at: datetime | None = None


def tries_of(account_id: UUID, card: SavedCard | None, at: datetime) -> Tries:
    """Count the declines of a card in a row, and what is left of `card.tries_a_day` in the last 24 hours.

    Cards whose fingerprint nobody knows count as one. What is under way counts as a try, as it may be declined.
    """
    lost = TopUp.declined_as.is_not(None) & (TopUp.ended_at > at - DAY)
    query = select(func.count()).where(
        TopUp.account_id == account_id, TopUp.card_id.is_not(None), or_(lost, TopUp.state == "opening")
    )
    left = overrides().setting("card.tries_a_day") - (db.session.scalar(query) or 0)
    declines = _in_a_row(account_id, card) if card is not None else []
    return Tries(left, len(declines), *declines[0]) if declines else Tries(left)


def asked_lately(account_id: UUID, at: datetime) -> int:
    """Count how often banks wanted the customer to confirm a charge in the last 24 hours."""
    query = select(func.count()).where(
        TopUp.account_id == account_id, TopUp.declined_as == "authentication", TopUp.ended_at > at - DAY
    )
    return db.session.scalar(query) or 0


def _in_a_row(account_id: UUID, card: SavedCard) -> list[tuple[UUID, datetime | None]]:
    """Return which charges were declined since the card last paid, the newest first, as far as more change nothing."""
    query = select(TopUp.id, TopUp.state, TopUp.ended_at).join(SavedCard, TopUp.card_id == SavedCard.id)
    query = query.where(
        TopUp.account_id == account_id, SavedCard.fingerprint.is_not_distinct_from(card.fingerprint),
        or_(TopUp.declined_as == "declined", TopUp.state == "paid"),
    )  # fmt: skip
    declines: list[tuple[UUID, datetime | None]] = []
    for row in db.session.execute(query.order_by(TopUp.opened_at.desc(), TopUp.id.desc()).limit(len(WAITS) + 1)):
        if row.state == "paid":
            break
        declines.append((row.id, row.ended_at))
    return declines
