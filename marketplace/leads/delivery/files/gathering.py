"""Sales are set aside for their file, and gathered into it when its slot has come; empty slots make no file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from core.ids import new_id
from marketplace.leads.delivery.credentials import opened
from marketplace.leads.delivery.files.models import DeliveryFile, FiledSale
from marketplace.leads.delivery.files.slots import latest_slot
from marketplace.leads.delivery.settings import CsvDelivery, delivery_of
from marketplace.leads.desk import desk
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

MOST_SALES = 2000  # of one file; what is beyond goes with the next slot
# What the courier has taken in hand becomes filed; nothing was tried, so the attempt that it has begun goes.
_SET_ASIDE = text("""
    WITH filed AS (
        UPDATE marketplace.deliveries SET state = 'filed', lease_until = NULL, attempts = 0
        WHERE sale_id = ANY(:sales) AND state = 'in_hand' RETURNING sale_id, order_id),
    gone AS (
        DELETE FROM marketplace.delivery_attempts a USING filed f WHERE a.sale_id = f.sale_id AND a.outcome IS NULL)
    INSERT INTO marketplace.filed_sales (sale_id, order_id, sold_at)
    SELECT f.sale_id, f.order_id, s.sold_at FROM filed f JOIN marketplace.sales s ON s.id = f.sale_id
""")
_FILL = text("""
    UPDATE marketplace.filed_sales SET file_id = :file WHERE sale_id IN (
        SELECT sale_id FROM marketplace.filed_sales
        WHERE order_id = :order AND file_id IS NULL AND sold_at < :slot ORDER BY sold_at, sale_id LIMIT :most)
""")


def set_aside(sale_ids: Sequence[UUID]) -> None:
    """Let sales wait for their order's next file."""
    if sale_ids:
        db.session.execute(_SET_ASIDE, {"sales": list(sale_ids)})


def gather(as_of: datetime) -> int:
    """Put what waits into the files whose slots have come by then, and return how many files were made.

    Of several who gather at once one makes the file of a slot; the others find it there.
    """
    waiting = select(FiledSale.order_id, db.func.min(FiledSale.sold_at)).where(FiledSale.file_id.is_(None))
    made = 0
    for order_id, since in db.session.execute(waiting.group_by(FiledSale.order_id).order_by(FiledSale.order_id)):
        terms, settings = csv_terms(order_id)
        slot = latest_slot(settings.schedule, terms.timezone, as_of)
        if since < slot:
            made += _fill(order_id, slot)
    return made


def csv_terms(order_id: UUID) -> tuple[OrderTerms, CsvDelivery]:
    """Return the terms and settings that an order's files go by: the present ones, or the last that had files."""
    versions = select(OrderVersion).where(
        OrderVersion.order_id == order_id, OrderVersion.terms["delivery_kind"].astext == "csv"
    )
    row = db.session.scalars(versions.order_by(OrderVersion.version.desc()).limit(1)).one()
    terms = decode_terms(row.terms)
    buyer_id = db.session.get_one(Order, order_id).buyer_id
    settings = delivery_of(opened(terms.delivery, desk().vault, buyer_id))
    assert isinstance(settings, CsvDelivery)
    return terms, settings


def _fill(order_id: UUID, slot: datetime) -> int:
    file = insert(DeliveryFile).values(id=new_id(), order_id=order_id, slot=slot, state="waiting", next_attempt_at=slot)
    file_id = db.session.scalar(file.on_conflict_do_nothing().returning(DeliveryFile.id))
    if file_id is None:
        return 0
    db.session.execute(_FILL, {"file": file_id, "order": order_id, "slot": slot, "most": MOST_SALES})
    return 1
