"""The rows of a lead's journey: the lead, its sales, who was claimed, events, and what was refused."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)
# Events of somebody who is not the system, without the births of leads and sales; written as the index has it.
DEEDS = "actor NOT LIKE 'system%' AND move NOT LIKE 'received>%' AND move <> ALL ('{new>held,new>delivered}')"

# What a lead's sub ids say, and whether they say anything; written as the index has it.
SUBS = "jsonb_path_query_array(details, '$.source.sub.*')"
HAS_SUB = "jsonb_path_exists(details, '$.source.sub.*')"

# Sales that ended without paying their publisher; written as the index has it, in brackets to stand beside conditions.
UNPAID = text("(state IN ('returned', 'refused', 'failed') OR (state = 'settled' AND payout_minor = 0))")


class Lead(Model):
    """A well-formed lead as it was judged; the contact is sealed, what may be shown stands in `details`."""

    __tablename__ = "leads"
    __table_args__ = (
        CheckConstraint("marketplace.is_lead_status(status)"),
        Index("leads_publisher_id_idx", "publisher_id", "id"),
        Index("leads_by_day_idx", "publisher_id", "received_at", postgresql_include=["status"],
              postgresql_where=text("test IS FALSE")),
        Index("leads_subs_idx", literal_column(SUBS).label("subs"), postgresql_using="gin",
              postgresql_ops={"subs": "jsonb_path_ops"}, postgresql_where=text(HAS_SUB)),
        {"schema": "marketplace"},
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    publisher_id: Mapped[UUID]
    vertical_id: Mapped[int] = mapped_column(SmallInteger)
    region: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    contact_class: Mapped[str] = mapped_column(Text)
    temperature: Mapped[str] = mapped_column(Text)
    score: Mapped[int] = mapped_column(SmallInteger)
    test: Mapped[bool]
    external_id: Mapped[str | None] = mapped_column(Text)
    source_name: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Instant)
    details: Mapped[Any] = mapped_column(JSONB)
    contact: Mapped[bytes] = mapped_column(LargeBinary)
    contact_key: Mapped[int] = mapped_column(SmallInteger)
    decision: Mapped[Any] = mapped_column(JSON)


class Sale(Model):
    """One lead sold to one buyer, with the terms that held at that moment."""

    __tablename__ = "sales"
    __table_args__ = (
        CheckConstraint("marketplace.is_sale(sales)", name="sales_check"),
        UniqueConstraint("lead_id", "buyer_id", name="sales_lead_id_buyer_id_key"),
        Index("sales_buyer_id_idx", "buyer_id", "id"),
        Index("sales_bought_by_day_idx", "buyer_id", "sold_at",
              postgresql_include=["currency", "state", "price_minor", "credited_minor", "delivered_at"]),
        Index("sales_paid_by_day_idx", "publisher_id", "sold_at", postgresql_include=["currency", "payout_minor"]),
        Index("sales_open_of_publisher_idx", "publisher_id", "release_at",
              postgresql_where=text("state IN ('held', 'delivered', 'disputed')")),
        Index("sales_unpaid_idx", "publisher_id", "ended_at", postgresql_where=UNPAID),
        Index("sales_delivered_at_idx", "delivered_at", postgresql_using="brin"),
        Index("sales_settled_of_publisher_idx", "publisher_id", "ended_at", postgresql_where=text("state = 'settled'")),
        Index("sales_release_at_idx", "release_at", postgresql_where=text("state = 'delivered'")),
        {"schema": "marketplace"},
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID]
    order_id: Mapped[UUID]
    order_version: Mapped[int]
    buyer_id: Mapped[UUID]
    publisher_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    price_minor: Mapped[int] = mapped_column(BigInteger)
    payout_minor: Mapped[int] = mapped_column(BigInteger)
    reserve_minor: Mapped[int] = mapped_column(BigInteger)
    reserve_days: Mapped[int]
    credited_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    window_ends_at: Mapped[datetime | None] = mapped_column(Instant)
    release_at: Mapped[datetime | None] = mapped_column(Instant)
    sold_at: Mapped[datetime] = mapped_column(Instant)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    terms_version: Mapped[int]
    bands: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))


class PersonKey(Model):
    """A person who was sold or is pending in a vertical, under a keyed hash."""

    __tablename__ = "person_keys"
    __table_args__ = {"schema": "marketplace"}

    vertical_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    lead_id: Mapped[UUID]
    claimed_at: Mapped[datetime] = mapped_column(Instant)


class Event(Model):
    """A move of a lead, sale, dispute, order or account: who, when, why."""

    __tablename__ = "events"
    __table_args__ = (Index("events_deeds_idx", "at", "id", postgresql_where=text(DEEDS)), {"schema": "marketplace"})

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    move: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class Refusal(Model):
    """How often something that was no lead was refused, without any of its data."""

    __tablename__ = "refusals"
    __table_args__ = {"schema": "marketplace"}

    publisher_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    refused: Mapped[int] = mapped_column(BigInteger)
