"""Sending a lead once more by hand: at once if it waits, else again to where its order delivers now.

The courier sends it, under the same message id. What comes of it is logged and changes neither the sale nor its money.
"""

from datetime import datetime, timedelta

from sqlalchemy import text

from core.clock import REAL_TIME
from core.db import db
from core.errors import Conflict
from core.rates import Rate
from marketplace.leads.delivery.breaker import PAUSED
from marketplace.leads.delivery.claims import LEASE_SECONDS, Claim
from marketplace.leads.delivery.credentials import opened
from marketplace.leads.delivery.endpoints import endpoints_of
from marketplace.leads.delivery.models import DeliveryAttempt, DeliveryRow
from marketplace.leads.delivery.settings import CsvDelivery, NoDelivery, delivery_of
from marketplace.leads.desk import desk
from marketplace.leads.models import Sale
from marketplace.leads.queries import THEIRS
from marketplace.orders.models import Order
from marketplace.orders.terms import decode_terms

RESENDS = Rate(times=30, seconds=3600)
# A lease that has run out is to be taken; one that was never given belongs to the delivery, not to a person.
_CLAIM = text("""
    UPDATE marketplace.delivery_attempts a SET lease_until = :lease
    FROM (SELECT sale_id, number FROM marketplace.delivery_attempts
          WHERE lease_until <= :real ORDER BY lease_until LIMIT :most FOR UPDATE SKIP LOCKED) AS asked,
         marketplace.sales s
    WHERE a.sale_id = asked.sale_id AND a.number = asked.number AND s.id = a.sale_id
    RETURNING a.sale_id, a.number, 'by hand ' || s.buyer_id, s.state = ANY(:theirs)
""")


def ask_to_send(sale: Sale, actor: str, at: datetime) -> DeliveryAttempt:
    """Ask that a lead be sent by hand, and return the attempt that will be made.

    Conflict when it was refused, failed or returned, was never to be sent, or is being sent, or its endpoint is paused.
    """
    db.session.refresh(sale, with_for_update=True)
    row = db.session.get(DeliveryRow, sale.id, with_for_update=True)
    if row is None:
        raise Conflict("nothing_to_send_to", "This sale is read in the portal; it was never to be sent.")
    if sale.state != "held" and sale.state not in THEIRS:
        raise Conflict("not_now", f"The sale is {sale.state}; its lead is not sent any more.")
    if row.state == "filed":
        raise Conflict("nothing_to_send_to", "The lead waits for its order's next file.")
    order = db.session.get_one(Order, sale.order_id)
    _check_endpoint(order)
    if row.state == "in_hand" or _is_asked_already(row):
        raise Conflict("being_sent", "This lead is being sent already; see its deliveries in a moment.")
    return _hurry(row, actor, at) if row.state == "waiting" else _ask_again(row, order, actor, at)


def claim_by_hand(most: int) -> list[Claim]:
    """Take in hand what was asked for; what is its buyer's no more is stranded."""
    real = REAL_TIME.now()
    asked = {"real": real, "lease": real + timedelta(seconds=LEASE_SECONDS), "most": most, "theirs": list(THEIRS)}
    return [
        Claim(sale_id, number, lane, is_stranded=not theirs, by_hand=True)
        for sale_id, number, lane, theirs in db.session.execute(_CLAIM, asked)
    ]


def _hurry(row: DeliveryRow, actor: str, at: datetime) -> DeliveryAttempt:
    row.next_attempt_at, row.asked_by = min(row.next_attempt_at, at), actor
    db.session.flush()
    return DeliveryAttempt(sale_id=row.sale_id, number=row.attempts + 1, started_at=at, asked_by=actor)


def _ask_again(row: DeliveryRow, order: Order, actor: str, at: datetime) -> DeliveryAttempt:
    settings = delivery_of(opened(decode_terms(order.terms).delivery, desk().vault, order.buyer_id))
    if isinstance(settings, NoDelivery | CsvDelivery):
        raise Conflict("nothing_to_send_to", "The order sends no lead by itself now; change its delivery first.")
    row.attempts += 1
    attempt = DeliveryAttempt(sale_id=row.sale_id, number=row.attempts, started_at=at, asked_by=actor,
                              lease_until=REAL_TIME.now())  # fmt: skip
    db.session.add(attempt)
    db.session.flush()
    return attempt


def _check_endpoint(order: Order) -> None:
    endpoint = endpoints_of([order]).get(order.id)
    if endpoint is not None and endpoint.state in PAUSED:
        raise Conflict("endpoint_paused", "Nothing is sent to this endpoint until it answers again; test it by hand.")


def _is_asked_already(row: DeliveryRow) -> bool:
    last = db.session.get(DeliveryAttempt, (row.sale_id, row.attempts))
    return last is not None and last.lease_until is not None
