"""A buyer's deliveries: every attempt with what came of it, and how the places do that the orders send to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import defer

from core.db import db
from core.errors import Fault, Malformed, NotFound
from core.ids import parse_id, show_id
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.log import Exchanged, attempts_of, exchanged_in
from marketplace.leads.delivery.models import DeliveryAttempt, DeliveryRow
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import THEIRS, get_sale, unsealed
from marketplace.orders.models import Order, OrderVersion

ROWS, MOST_PLACES = 50, 50
OUTCOMES = ("accepted", "refused", "error", "not_sent", "under_way")
UNDER_WAY = "under_way"  # stands for an attempt that has come to nothing yet
_AT_ONCE = 5000  # rows of an export that are read together
After = tuple[UUID, int]
"""The sale and the number of an attempt."""
_ORDER = OrderVersion.terms["name"].astext
_LINE = (
    DeliveryAttempt.started_at, Sale.order_id, _ORDER, Sale.id, Sale.lead_id, DeliveryAttempt.number,
    DeliveryAttempt.outcome, DeliveryAttempt.reason, DeliveryAttempt.status, DeliveryAttempt.milliseconds,
    DeliveryAttempt.asked_by,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which attempts are asked for; None narrows nothing."""

    order: UUID | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt, the sale that it was for, its order's name then, and the person while the lead is theirs."""

    attempt: DeliveryAttempt
    sale: Sale
    order: str
    person: str


class Line(NamedTuple):
    """One attempt as a sheet tells it."""

    started_at: datetime
    order_id: UUID
    order: str
    sale_id: UUID
    lead_id: UUID
    number: int
    outcome: str | None
    reason: str | None
    status: int | None
    milliseconds: int | None
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class AttemptsPart:
    """One part of the log, and the cursor after which the next one begins; None at the end."""

    rows: Sequence[Attempted]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt, and what was exchanged as far as it is the buyer's."""

    attempt: DeliveryAttempt
    exchanged: Exchanged | None


@dataclass(frozen=True, slots=True)
class DeliveryStory:
    """All attempts to deliver one sale; `delivery` is None when it was never to be sent."""

    sale: Sale
    order: str
    person: str
    delivery: DeliveryRow | None
    tries: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class SendingTo:
    """An order that sends by HTTP and how its endpoint does: ok, trying or paused until an instant."""

    order: UUID
    name: str
    status: str
    address: str
    state: str
    until: datetime | None
    attempts: int
    failures: int


def read_after(text: str | None) -> After | None:
    """Read where a part of the log begins; Malformed when this log never gave it."""
    if not text:
        return None
    sale, _, number = text.partition("-")
    try:
        if number.isascii() and number.isdigit() and len(number) < 6:
            return parse_id("sale", sale), int(number)
    except NotFound:
        pass
    fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
    raise Malformed("bad_page", "This page cannot be shown.", [fault])


def attempts_asked(buyer_id: UUID, narrowed: Narrowed, after: After | None) -> AttemptsPart:
    """Return one part of the buyer's log: the newest sale first, of each its last attempt first."""
    query = _query(buyer_id, narrowed, after, DeliveryAttempt, Sale, _ORDER, Lead).join(Lead, Lead.id == Sale.lead_id)
    query = query.options(defer(DeliveryAttempt.sealed), defer(Lead.decision)).limit(ROWS + 1)
    found = db.session.execute(query).all()
    rows = [Attempted(attempt, sale, order, _person(sale, lead)) for attempt, sale, order, lead in found[:ROWS]]
    last = rows[-1].attempt if len(found) > ROWS else None
    return AttemptsPart(rows, f"{show_id('sale', last.sale_id)}-{last.number}" if last else None)


def every_attempt(buyer_id: UUID, narrowed: Narrowed) -> Iterator[Line]:
    """Yield all attempts asked for, in the log's order, by one statement of which some thousands are held at once."""
    query = _query(buyer_id, narrowed, None, *_LINE).execution_options(yield_per=_AT_ONCE)
    return (Line(*row) for row in db.session.execute(query))


def story_of_delivery(buyer_id: UUID, sale_id: UUID) -> DeliveryStory:
    """Return all attempts to deliver one of the buyer's sales; NotFound for anybody else's."""
    sale = get_sale(buyer_id, sale_id)
    version = db.session.get_one(OrderVersion, (sale.order_id, sale.order_version))
    person = _person(sale, db.session.get_one(Lead, sale.lead_id))
    tries = [Tried(one, exchanged_in(one) if sale.state in THEIRS else None) for one in attempts_of(sale.id)]
    return DeliveryStory(sale, version.terms["name"], person, db.session.get(DeliveryRow, sale.id), tries)


def sending_orders(buyer_id: UUID) -> list[SendingTo]:
    """Return the orders that send by HTTP, those first whose endpoint does not answer, then the newest."""
    same = and_(Endpoint.buyer_id == Order.buyer_id, Endpoint.address == Order.endpoint)
    query = select(Order, Endpoint).outerjoin(Endpoint, same)
    query = query.where(Order.buyer_id == buyer_id, Order.endpoint.is_not(None))
    is_unwell = and_(Endpoint.state.is_not(None), Endpoint.state != "closed")
    query = query.order_by(is_unwell.desc(), Order.id.desc()).limit(MOST_PLACES)
    return [_sending(order, endpoint) for order, endpoint in db.session.execute(query)]


def _person(sale: Sale, lead: Lead) -> str:
    contact = unsealed(lead, desk().vault)["contact"] if sale.state in THEIRS else {}
    return " ".join(contact[name] for name in ("first_name", "last_name") if contact.get(name))


def _sending(order: Order, endpoint: Endpoint | None) -> SendingTo:
    recent = endpoint.recent if endpoint else []
    word = {"closed": "ok", "open": "paused"}.get(endpoint.state, "trying") if endpoint else "ok"
    return SendingTo(
        order.id, order.terms["name"], order.status, order.endpoint or "", word,
        endpoint.probe_at if endpoint and endpoint.state == "open" else None,
        sum(one[1] for one in recent), sum(one[2] for one in recent),
    )  # fmt: skip


def _query(buyer_id: UUID, narrowed: Narrowed, after: After | None, *asked: Any) -> Select[Any]:
    then = and_(OrderVersion.order_id == Sale.order_id, OrderVersion.version == Sale.order_version)
    query = select(*asked).select_from(DeliveryAttempt).join(Sale, Sale.id == DeliveryAttempt.sale_id)
    query = query.join(OrderVersion, then).where(Sale.buyer_id == buyer_id)
    if narrowed.order:
        query = query.where(Sale.order_id == narrowed.order)
    if narrowed.outcome:
        wanted = None if narrowed.outcome == UNDER_WAY else narrowed.outcome
        query = query.where(DeliveryAttempt.outcome.is_not_distinct_from(wanted))
    if after:
        query = query.where(Sale.id <= after[0], or_(Sale.id < after[0], DeliveryAttempt.number < after[1]))
    return query.order_by(Sale.id.desc(), DeliveryAttempt.number.desc())
