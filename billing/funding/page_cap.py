"""How many pages of the card processor an account may open a day, so that nobody tries cards on them by the hundred."""

from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import select, union_all

from billing.funding.models import TopUp
from billing.funding.recharge.models import CardPage
from core.db import db
from core.errors import TooMany
from core.overrides import overrides

DAY = timedelta(days=1)


def demand_page(account_id: UUID, at: datetime) -> None:
    """TooMany, with when again, once an account has opened `card.pages_a_day` pages in 24 hours.

    Pages to pay and pages to save a card count together. Asked under the payer's lock, or two at once would each be the
    last one.
    """
    most, since = overrides().setting("card.pages_a_day"), at - DAY
    opened = union_all(
        select(TopUp.opened_at).where(
            TopUp.account_id == account_id, TopUp.card_id.is_(None), TopUp.opened_at > since, TopUp.state != "refused"
        ),
        select(CardPage.opened_at).where(
            CardPage.account_id == account_id, CardPage.opened_at > since, CardPage.state != "refused"
        ),
    ).subquery()
    query = select(opened.c.opened_at).order_by(opened.c.opened_at.desc()).offset(most - 1).limit(1)
    first: datetime | None = db.session.scalar(query)  # of the last so many: once it is a day old, there is room
    if first is not None:
        again_at = first.astimezone(UTC) + DAY
        says = f"At most {most} pages to pay by card or save one are opened in 24 hours. Try again from"
        raise TooMany(f"{says} {again_at:%Y-%m-%d %H:%M:%S} UTC on.", ceil((again_at - at).total_seconds()))
