"""A publisher's leads: narrowed down, sorted and continued; and the whole of one, with why it sold or did not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import defer

from core.db import db
from core.keyset import Asked, Columns, Part, part_of
from core.money import Money
from marketplace.catalog.shelf import vertical_by_book, verticals_by_id
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.told import OfferTold, Standing, lead_with_offers
from marketplace.leads.desk import desk
from marketplace.leads.models import HAS_SUB, SUBS, Event, Lead, Sale
from marketplace.leads.paid_from import PaidFrom, paid_from
from marketplace.leads.queries import sales_with_credit, unsealed
from marketplace.leads.why import OF_A_TEST, SENTENCES, why

# Ids sort by the moment at which they were made, and the index of a publisher's leads is by them.
SORTS: Columns = {"received": Lead.id, "score": Lead.score}
# What keeps an order from buying, the closest to a sale first.
CLOSEST = ("undeliverable", "refused", "capped", "no_funds", "below_min", "duplicate", "other_way", "closed", "paused",
           "filtered", "region")  # fmt: skip
UNPAID = ("returned", "refused", "failed")  # sales that pay the publisher nothing
_UNREAD = (defer(Lead.contact), defer(Lead.decision))  # nothing of a list; they are the bulk of a row
_AT_ONCE = 1000  # rows of an export that are read together


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which leads are asked for; None and an empty text narrow nothing. The days are UTC days, both of them shown."""

    status: str | None = None
    reason: str | None = None
    source: str = ""
    sub: str = ""
    since: date | None = None
    until: date | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of how many orders for one lead."""

    code: str
    says: str
    orders: int


@dataclass(frozen=True, slots=True)
class LeadStory:
    """All that its publisher may know of one lead."""

    lead: Lead
    vertical: Vertical
    private: dict[str, Any]
    sales: Sequence[Sale]
    outcomes: Sequence[Outcome]
    events: Sequence[Event]
    currency: str
    drawn: Mapping[UUID, int]
    returnable: Mapping[UUID, bool]
    standing: Standing | None
    offers: Sequence[OfferTold]

    def paid_from(self, sale: Sale) -> PaidFrom:
        """Tell where a sale's price was taken from."""
        return paid_from(sale.price_minor, self.drawn.get(sale.id, 0))

    @property
    def orders(self) -> int:
        """Return how many orders of the vertical there were at that moment."""
        return sum(outcome.orders for outcome in self.outcomes)

    @property
    def closest(self) -> Outcome | None:
        """Return what kept those from buying who came closest to it; None when nobody was asked."""
        by_code = {one.code: one for one in self.outcomes}
        return next((by_code[code] for code in CLOSEST if code in by_code), None)

    @property
    def paying(self) -> list[Sale]:
        """Return the sales that pay the publisher, or will."""
        return [sale for sale in self.sales if sale.state not in UNPAID]

    @property
    def payout(self) -> Money:
        """Return what the lead's sales pay together, as they stand."""
        return Money(sum(sale.payout_minor for sale in self.paying), self.currency)


def leads_asked(publisher_id: UUID, narrowed: Narrowed, asked: Asked) -> Part:
    """Return one part of the publisher's leads."""
    return part_of(_query(select(Lead).options(*_UNREAD), publisher_id, narrowed), asked, SORTS, Lead.id)


def payouts_of(leads: Sequence[Lead]) -> dict[UUID, int]:
    """Sum in minor units what the sales of each of these leads pay; a lead without a paying sale is left out."""
    query = select(Sale.lead_id, func.sum(Sale.payout_minor)).where(
        Sale.lead_id.in_([lead.id for lead in leads]), Sale.state.not_in(UNPAID)
    )
    return {lead_id: int(total) for lead_id, total in db.session.execute(query.group_by(Sale.lead_id))}


def every_lead(publisher_id: UUID, narrowed: Narrowed) -> Iterator[tuple[Lead, int | None]]:
    """Yield all leads asked for, the newest first, each with what it pays; reads a thousand at a time."""
    after: UUID | None = None
    while True:
        query = _query(select(Lead).options(*_UNREAD), publisher_id, narrowed).order_by(Lead.id.desc()).limit(_AT_ONCE)
        rows = db.session.scalars(query.where(Lead.id < after) if after else query).all()
        paid = payouts_of(rows)
        yield from ((row, paid.get(row.id)) for row in rows)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id


def story_of(publisher_id: UUID, lead_id: UUID, at: datetime) -> LeadStory:
    """Return the whole of one of the publisher's leads; NotFound for anybody else's."""
    (lead, standing, offers), vault = lead_with_offers(publisher_id, lead_id, at), desk().vault
    vertical, (found, drawn, returnable) = _vertical_of(lead), sales_with_credit([lead_id])
    sales = found[lead_id]
    counted = Counter(reason.public_outcome for reason in why(lead, vault, vertical))
    says = OF_A_TEST if lead.test else SENTENCES
    outcomes = [Outcome(code, says[code], count) for code, count in counted.most_common()]
    happened = select(Event).where(Event.subject_id.in_([lead.id, *(sale.id for sale in sales)]))
    events = db.session.scalars(happened.order_by(Event.at, Event.id)).all()
    return LeadStory(lead, vertical, unsealed(lead, vault), sales, outcomes, events, vertical.currency, drawn,
                     returnable, standing, offers)  # fmt: skip


def _vertical_of(lead: Lead) -> Vertical:
    """Return the vertical that judged a lead; the present one for a lead that no book was asked about."""
    book = (lead.decision or {}).get("book")
    return verticals_by_id()[lead.vertical_id] if book is None else vertical_by_book(lead.vertical_id, book)


def _query(query: Select[Any], publisher_id: UUID, narrowed: Narrowed) -> Select[Any]:
    query = query.where(Lead.publisher_id == publisher_id, Lead.test.is_(narrowed.test))
    if narrowed.status:
        query = query.where(Lead.status == narrowed.status)
    if narrowed.reason:
        query = query.where(any_(Lead.reasons) == narrowed.reason)
    if narrowed.source:
        query = query.where(Lead.source_name == narrowed.source)
    if narrowed.sub:
        query = query.where(says_sub(narrowed.sub))
    if narrowed.since:
        query = query.where(Lead.received_at >= _start(narrowed.since))
    if narrowed.until:
        query = query.where(Lead.received_at < _start(narrowed.until) + timedelta(days=1))
    return query


def says_sub(wanted: str) -> ColumnElement[bool]:
    """Tell which leads have a sub id that says exactly this, in the words of their index."""
    return and_(text(HAS_SUB), literal_column(SUBS, JSONB).contains([wanted]))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
