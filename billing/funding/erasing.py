"""Erasing what the card processor told in words: it names people, and what it told of stands in the books."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from billing.funding.models import CardNews
from core.db import db
from core.overrides import overrides

BATCH = 500


def erase_card_news(at: datetime) -> int:
    """Erase the text of a batch of news handled long enough ago and return of how many; id, kind and outcome stay."""
    old = select(CardNews.id).where(
        CardNews.handled_at <= at - timedelta(days=overrides().setting("card.news_days")), CardNews.raw.is_not(None)
    )
    batch = old.order_by(CardNews.handled_at).limit(BATCH).with_for_update(skip_locked=True)
    erased = db.session.execute(update(CardNews).where(CardNews.id.in_(batch)).values(raw=None).returning(CardNews.id))
    return len(erased.all())
