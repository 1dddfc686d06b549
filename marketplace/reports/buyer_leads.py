"""What a buyer bought: the hot leads first, each with how its first contact stands, and the whole story of one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select

from core.db import db
from core.errors import Fault, Malformed, NotFound
from core.ids import parse_id, show_id
from core.sentences import sentences
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.shelf import BOOK, vertical_of
from marketplace.leads.again.models import FurtherOffer, FurtherSale
from marketplace.leads.again.told import Aged, told_of
from marketplace.leads.contact_clock import contacts_of
from marketplace.leads.contact_models import Disposition, SaleContact
from marketplace.leads.contact_speed import contact_state
from marketplace.leads.decisions import tried_in
from marketplace.leads.delivery.log import Exchanged, attempts_of, exchanged_in
from marketplace.leads.delivery.models import DeliveryAttempt, DeliveryRow
from marketplace.leads.desk import desk
from marketplace.leads.dispositions import dispositions_of
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.queries import THEIRS, events_of, unsealed
from marketplace.leads.source_codes import public_codes
from marketplace.market.rows import SourceQuality
from marketplace.market.scores import Quality, quality_of
from marketplace.orders.models import OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

ROWS, REPORTS = 50, 200
HOTTEST_FIRST = ("hot", "warm", "cold")
WORK = ("untouched", "follow_up")
BOUGHT: Mapping[str, str] = sentences({
    "one": "Your order wanted the lead, had room and the money, and stood first: nobody else gets it.",
    "several": "Your order wanted the lead, had room and the money, and stood among the first: others share it.",
    "only": "Your order wanted the lead, had room and the money; it would share it, but nobody else bought it then.",
    "next": "Whoever stood before your order refused the lead or could not be reached, so it came to you.",
    "again": "It was offered again later: your order wanted it at its age, had room and the money, and stood first.",
    "deal": "It was made for you under your private deal with its publisher.",
})  # fmt: skip
PASSED = UUID(int=0)  # stands for a temperature of which all was shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the bought leads are asked for; `after` is the temperature and the sale of the last one shown."""

    state: str | None = None
    temperature: str | None = None
    work: str | None = None
    after: tuple[str, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Bought:
    """A bought lead as its buyer may see it: without its contact while it is not delivered or once it went back."""

    sale: Sale
    lead: Lead
    private: dict[str, Any]
    contact: SaleContact | None
    speed: str | None


@dataclass(frozen=True, slots=True)
class BoughtPart:
    """One part of the bought leads, and the cursor after which the next one begins; None at the end."""

    rows: Sequence[Bought]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt to deliver, and what was exchanged as far as it is the buyer's."""

    attempt: DeliveryAttempt
    exchanged: Exchanged | None


@dataclass(frozen=True, slots=True)
class Story:
    """One bought lead with all that happened to it, and what its vertical calls its fields, by their names.

    `is_sent` tells whether it is one that is sent anywhere.
    """

    bought: Bought
    events: Sequence[Event]
    reports: Sequence[Disposition]
    tries: Sequence[Tried]
    is_sent: bool
    dispute_id: UUID | None
    labels: Mapping[str, str]
    terms: OrderTerms
    quality: Quality | None
    aged: Aged | None

    @property
    def order(self) -> str:
        """Return what the buyer calls the order that bought it."""
        return self.terms.name

    @property
    def why(self) -> str:
        """Return why the buyer has this lead, in one sentence and without anybody else's figures."""
        return BOUGHT["again" if self.aged else _how_bought(self.bought, self.terms)]

    @property
    def codes(self) -> tuple[str, str]:
        """Return the public codes of the lead's publisher and source, by which an order may choose."""
        return public_codes(self.bought.sale.publisher_id, self.bought.lead.source_name)


def read_cursor(text: str | None) -> tuple[str, UUID] | None:
    """Read where a part of the list begins; Malformed when this list never gave it."""
    if not text:
        return None
    temperature, _, sale = text.partition("-")
    try:
        if temperature in HOTTEST_FIRST:
            return temperature, parse_id("sale", sale)
    except NotFound:
        pass
    fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
    raise Malformed("bad_page", "This page cannot be shown.", [fault])


def bought_leads(buyer_id: UUID, wanted: Wanted, at: datetime) -> BoughtPart:
    """Return one part of the buyer's leads: the hot ones, the newest first, then the warm, then the cold."""
    found: list[tuple[Sale, Lead]] = []
    for temperature in HOTTEST_FIRST:
        before = _before(wanted, temperature)
        if before is not PASSED and wanted.temperature in (None, temperature) and len(found) <= ROWS:
            query = _wanted(buyer_id, wanted, at).where(Lead.temperature == temperature)
            query = query if before is None else query.where(Sale.id < before)
            found += [(sale, lead) for sale, lead in db.session.execute(query.limit(ROWS + 1 - len(found)))]
    shown = found[:ROWS]
    last = f"{shown[-1][1].temperature}-{show_id('sale', shown[-1][0].id)}" if len(found) > ROWS else None
    return BoughtPart(_presented(shown, at), last)


def _before(wanted: Wanted, temperature: str) -> UUID | None:
    """Return the sale below which leads of a temperature are still to be shown, None for all, PASSED for none."""
    if wanted.after is None:
        return None
    place, reached = HOTTEST_FIRST.index(temperature), HOTTEST_FIRST.index(wanted.after[0])
    return wanted.after[1] if place == reached else PASSED if place < reached else None


def _wanted(buyer_id: UUID, wanted: Wanted, at: datetime) -> Select[Sale, Lead]:
    query = select(Sale, Lead).join(Lead, Lead.id == Sale.lead_id).where(Sale.buyer_id == buyer_id)
    query = query.order_by(Sale.id.desc())
    if wanted.state:
        query = query.where(Sale.state == wanted.state)
    if wanted.work == "follow_up":
        return query.join(SaleContact, SaleContact.sale_id == Sale.id).where(SaleContact.follow_up_at <= at)
    if wanted.work == "untouched":
        query = query.outerjoin(SaleContact, SaleContact.sale_id == Sale.id)
        return query.where(SaleContact.first_attempt_at.is_(None), Sale.state.in_(THEIRS))
    return query


def story_of(buyer_id: UUID, sale_id: UUID, at: datetime) -> Story:
    """Return all that a buyer may know of a lead that he bought; NotFound for anybody else's."""
    then = and_(OrderVersion.order_id == Sale.order_id, OrderVersion.version == Sale.order_version)
    of_source = and_(SourceQuality.publisher_id == Lead.publisher_id, SourceQuality.source_name == Lead.source_name)
    query = select(
        Sale, Lead, Dispute.id, DeliveryRow.sale_id, OrderVersion.terms, SourceQuality, FurtherSale, FurtherOffer,
        *BOOK,
    )  # fmt: skip
    query = query.select_from(Sale).join(Lead, Lead.id == Sale.lead_id).join(OrderVersion, then)
    query = query.join(VerticalRow, VerticalRow.id == Lead.vertical_id)
    query = query.outerjoin(Dispute, Dispute.sale_id == Sale.id).outerjoin(DeliveryRow, DeliveryRow.sale_id == Sale.id)
    query = query.outerjoin(SourceQuality, of_source).outerjoin(FurtherSale, FurtherSale.sale_id == Sale.id)
    query = query.outerjoin(FurtherOffer, FurtherOffer.id == FurtherSale.offer_id)
    row = db.session.execute(query.where(Sale.id == sale_id, Sale.buyer_id == buyer_id)).one_or_none()
    if row is None:
        raise NotFound(detail="There is no sale with this id.")
    sale, lead, dispute_id, sent_id, terms, source, further, offer, *book = row
    [bought] = _presented([(sale, lead)], at)
    is_theirs = sale.state in THEIRS
    tries = [Tried(one, exchanged_in(one) if is_theirs else None) for one in attempts_of(sale.id)]
    return Story(
        bought, events_of(sale.id), dispositions_of(sale.id, None, REPORTS), tries, sent_id is not None,
        dispute_id, {field.name: field.label for field in vertical_of(book).fields},
        decode_terms(terms), quality_of(source), told_of(further, offer),
    )  # fmt: skip


def _how_bought(bought: Bought, terms: OrderTerms) -> str:
    sold = [one.order_id for one in tried_in(bought.lead.decision) if one.outcome == "sold"]
    if terms.deal is not None:
        return "deal"
    if bought.sale.order_id not in sold:
        return "next"
    return "several" if sold[1:] else "one" if terms.exclusive else "only"


def _presented(found: Sequence[tuple[Sale, Lead]], at: datetime) -> list[Bought]:
    contacts = contacts_of([sale for sale, _ in found], {lead.id: lead for _, lead in found})
    present = _presenter(contacts, at)
    return [present(sale, lead) for sale, lead in found]


def _presenter(contacts: dict[UUID, SaleContact], at: datetime) -> Callable[[Sale, Lead], Bought]:
    vault = desk().vault

    def present(sale: Sale, lead: Lead) -> Bought:
        private = unsealed(lead, vault) if sale.state in THEIRS else {"contact": None, "comments": None}
        contact = contacts.get(sale.id)
        is_over = contact is None or (sale.state == "returned" and contact.first_attempt_at is None)
        speed = None if contact is None or is_over else contact_state(contact.due_at, contact.first_attempt_at, at)
        return Bought(sale, lead, private, contact, speed)

    return present
