"""The rows of leads that are offered again: the lead as it is kept, each further offer and its sales, and who seeks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class KeptLead(Model):
    """A lead that may be offered again, or why not any more; `due_at` is when to look next, None until it is woken.

    `why` says what an open one waits for, if anything; `ends_at` until when it may be offered, from the first look on.
    """

    __tablename__ = "kept_leads"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'off', 'ended') AND (state = 'open' OR due_at IS NULL AND why IS NOT NULL)",
            name="kept_leads_check",
        ),
        Index("kept_leads_due_idx", "due_at", text("received_at DESC"), postgresql_where=text("due_at IS NOT NULL")),
        Index("kept_leads_open_idx", "vertical_id", "received_at", "lead_id", postgresql_where=text("state = 'open'")),
        Index("kept_leads_source_idx", "publisher_id", "source_name", "vertical_id",
              postgresql_where=text("state <> 'ended'")),
        {"schema": "marketplace"},
    )  # fmt: skip

    lead_id: Mapped[UUID] = mapped_column(primary_key=True)
    publisher_id: Mapped[UUID]
    source_name: Mapped[str] = mapped_column(Text)
    vertical_id: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("marketplace.verticals.id", name="kept_leads_vertical_id_fkey")
    )
    country: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)
    looks: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)


class FurtherOffer(Model):
    """One time that a lead was offered again: at which age and past, and the decision; never changed."""

    __tablename__ = "further_offers"
    __table_args__ = (
        UniqueConstraint("lead_id", "number", name="further_offers_lead_id_key"),
        CheckConstraint(
            "kind IN ('unsold', 'waiting', 'resale', 'returned') AND number > 0 AND age_minutes >= 0"
            " AND bp BETWEEN 0 AND 10000 AND (kind IN ('resale', 'returned')) = (ceiling_minor IS NOT NULL)"
            " AND (kind = 'returned') = (returned IS NOT NULL)",
            name="further_offers_check",
        ),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID]
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(Text)
    age_minutes: Mapped[int]
    bp: Mapped[int]
    ceiling_minor: Mapped[int | None] = mapped_column(BigInteger)
    least_minor: Mapped[int] = mapped_column(BigInteger)
    returned: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[Any] = mapped_column(JSON)


class FurtherSale(Model):
    """A sale of a further offer: the how manyth since somebody had bought the lead, and what a fresh one would cost."""

    __tablename__ = "further_sales"
    __table_args__ = (
        CheckConstraint("resale BETWEEN 0 AND 99 AND bid_minor > 0", name="further_sales_check"),
        Index("further_sales_resale_key", "lead_id", "resale", unique=True, postgresql_where=text("resale > 0")),
        Index("further_sales_offer_id_idx", "offer_id"),
        {"schema": "marketplace"},
    )

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(
        ForeignKey("marketplace.further_offers.id", name="further_sales_offer_id_fkey")
    )
    lead_id: Mapped[UUID]
    resale: Mapped[int] = mapped_column(SmallInteger)
    bid_minor: Mapped[int] = mapped_column(BigInteger)
    falls: Mapped[bool]


class KeptPlace(Model):
    """An order that only its cap, pace or hours kept from a lead, and until when it may still buy it."""

    __tablename__ = "kept_places"
    __table_args__ = (Index("kept_places_order_id_idx", "order_id", "until_at"), {"schema": "marketplace"})

    lead_id: Mapped[UUID] = mapped_column(
        ForeignKey("marketplace.kept_leads.lead_id", name="kept_places_lead_id_fkey"), primary_key=True
    )
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    until_at: Mapped[datetime] = mapped_column(Instant)


class Seeker(Model):
    """An order that buys aged leads or waits: when it looks through the kept ones, from where on, and when once more.

    It needs so much money before it looks.
    """

    __tablename__ = "seekers"
    __table_args__ = (
        CheckConstraint("(below_at IS NULL) = (below_id IS NULL) AND needs_minor > 0", name="seekers_check"),
        Index("seekers_due_idx", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("seekers_broke_idx", "order_id", postgresql_where=text("needs_minor IS NOT NULL")),
        {"schema": "marketplace"},
    )

    order_id: Mapped[UUID] = mapped_column(
        ForeignKey("marketplace.orders.id", name="seekers_order_id_fkey"), primary_key=True
    )
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    below_at: Mapped[datetime | None] = mapped_column(Instant)
    below_id: Mapped[UUID | None]
    again_at: Mapped[datetime | None] = mapped_column(Instant)
    needs_minor: Mapped[int | None] = mapped_column(BigInteger)
