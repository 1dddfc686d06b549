"""The rows of standing orders: the order as it is, every version it ever had, and what it has bought per period."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

BY_PEOPLE = "marketplace.order_versions.actor NOT LIKE 'system%'"  # in the words of the index of versions
NO_CEILING = 2**63 - 1
_FIVE = (
    "cardinality(caps) = 5 AND cardinality(budgets) = 5 AND (currency IS NULL) ="
    " (num_nulls(budgets[1], budgets[2], budgets[3], budgets[4], budgets[5]) = 5)"
)
_ENDPOINT = "marketplace.endpoint_of(terms)"  # where its leads are sent, NULL when not by HTTP


class Order(Model):
    """A buyer's standing order as it is now."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'paused', 'closed')"),
        Index("orders_buyer_id_idx", "buyer_id", "id"),
        Index("orders_vertical_id_idx", "vertical_id", postgresql_where=text("status = 'active'")),
        CheckConstraint("resumes_at IS NULL OR status = 'paused'", name="orders_resumes_check"),
        Index("orders_resumes_idx", "resumes_at", postgresql_where=text("resumes_at IS NOT NULL")),
        Index("orders_paused_idx", "changed_at", postgresql_where=text("status = 'paused'")),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    vertical_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("marketplace.verticals.id"))
    version: Mapped[int]
    status: Mapped[str] = mapped_column(Text)
    terms: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    resumes_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    endpoint: Mapped[str | None] = mapped_column(Text, Computed(_ENDPOINT, persisted=True))


class OrderVersion(Model):
    """What an order said from one moment on; never changed, so that a decision can be told and run again."""

    __tablename__ = "order_versions"
    __table_args__ = (
        Index("order_versions_deeds_idx", "at", postgresql_where=text("actor NOT LIKE 'system%'")),
        {"schema": "marketplace"},
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.orders.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(Text)
    terms: Mapped[Any] = mapped_column(JSONB)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    endpoint: Mapped[str | None] = mapped_column(Text, Computed(_ENDPOINT, persisted=True))


class OrderCounters(Model):
    """What an order bought in all, what that was when its periods began, and the totals at which a limit is reached.

    `caps` and `budgets` are those of PERIODS, `starts` and what was counted before them those of its first four.
    """

    __tablename__ = "order_counters"
    __table_args__ = {"schema": "marketplace"}

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    limited: Mapped[bool] = mapped_column(server_default="false")
    zone_version: Mapped[int] = mapped_column(server_default="1")
    caps: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    budgets: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    starts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{0,0,0,0}")
    leads_before: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{0,0,0,0}")
    spend_before: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{0,0,0,0}")
    leads_ceiling: Mapped[int] = mapped_column(BigInteger, server_default=str(NO_CEILING))
    spend_ceiling: Mapped[int] = mapped_column(BigInteger, server_default=str(NO_CEILING))
    total_leads: Mapped[int] = mapped_column(Integer, server_default="0")
    total_spend: Mapped[int] = mapped_column(BigInteger, server_default="0")
    weighed_from: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_sold_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class BuyerLimitsVersion(Model):
    """What a buyer allowed all of his orders together from one moment on; never changed. None at all lifts them."""

    __tablename__ = "buyer_limits"
    __table_args__ = (CheckConstraint(_FIVE, name="buyer_limits_check"), {"schema": "marketplace"})

    buyer_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    timezone: Mapped[str] = mapped_column(Text)
    currency: Mapped[str | None] = mapped_column(Text)
    caps: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger))
    budgets: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger))
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class BuyerCounters(Model):
    """What all orders of a buyer with limits bought, as `OrderCounters` tells it of one; without a zone nothing counts.

    Money is counted in the currency of his budgets, leads in all.
    """

    __tablename__ = "buyer_counters"
    __table_args__ = {"schema": "marketplace"}

    buyer_id: Mapped[UUID] = mapped_column(primary_key=True)
    timezone: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str | None] = mapped_column(Text)
    caps: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger))
    budgets: Mapped[list[int | None]] = mapped_column(ARRAY(BigInteger))
    starts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    leads_before: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    spend_before: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    leads_ceiling: Mapped[int] = mapped_column(BigInteger)
    spend_ceiling: Mapped[int] = mapped_column(BigInteger)
    total_leads: Mapped[int] = mapped_column(BigInteger)
    total_spend: Mapped[int] = mapped_column(BigInteger)
