"""The rows of counted market data: days of the market and of orders, the depth of the book, the quality of sources."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)
EVERYWHERE = "*"  # the region of what was counted of all regions together


class MarketCount(Model):
    """A UTC day of the market that is counted, and when it was last."""

    __tablename__ = "market_counts"
    __table_args__ = {"schema": "marketplace"}

    day: Mapped[date] = mapped_column(primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(Instant)


class MarketDay(Model):
    """What a day's leads came to in a vertical and a region that holds them.

    `alone` and `shared` say for how many leads which price is the least at which one order more would have bought,
    `cycle` after how many days the sales were settled that were settled that day. `own_buyers` bought leads that name
    this region and no part of it.
    """

    __tablename__ = "market_days"
    __table_args__ = (
        CheckConstraint(
            "sold BETWEEN 0 AND offered AND sales >= sold AND value_minor >= sales"
            " AND (sales = 0) = (last_price_minor IS NULL) AND (sales = 0) = (last_sold_at IS NULL)"
            " AND (sales = 0) = (buyers = '{}') AND own_buyers <@ buyers",
            name="market_days_check",
        ),
        {"schema": "marketplace"},
    )

    vertical_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("marketplace.verticals.id"), primary_key=True)
    region: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    offered: Mapped[int]
    sold: Mapped[int]
    sales: Mapped[int]
    value_minor: Mapped[int] = mapped_column(BigInteger)
    buyers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    own_buyers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    last_price_minor: Mapped[int | None] = mapped_column(BigInteger)
    last_sold_at: Mapped[datetime | None] = mapped_column(Instant)
    alone: Mapped[dict[str, int]] = mapped_column(JSONB)
    shared: Mapped[dict[str, int]] = mapped_column(JSONB)
    cycle: Mapped[dict[str, int]] = mapped_column(JSONB)


class OrderDay(Model):
    """What became of a day's leads for which an order was tried; `prices` would have won, `winners` had those."""

    __tablename__ = "order_days"
    __table_args__ = (Index("order_days_day_idx", "day"), {"schema": "marketplace"})

    order_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.orders.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    outcomes: Mapped[dict[str, int]] = mapped_column(JSONB)
    prices: Mapped[dict[str, int]] = mapped_column(JSONB)
    winners: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class MarketDepth(Model):
    """The orders that could have bought in a region when they were last looked at that day, by steps of price.

    Not `told` where the difference to a region that holds this one would show too few buyers.
    """

    __tablename__ = "market_depths"
    __table_args__ = (
        CheckConstraint("orders >= buyers AND buyers >= 0", name="market_depths_check"),
        {"schema": "marketplace"},
    )

    vertical_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("marketplace.verticals.id"), primary_key=True)
    region: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    looked_at: Mapped[datetime] = mapped_column(Instant)
    orders: Mapped[int]
    buyers: Mapped[int]
    steps: Mapped[Any] = mapped_column(JSONB)
    told: Mapped[bool]


class SourceQuality(Model):
    """How the sales of a source ended of late, under its public codes; not counted yet while `counted_at` is None."""

    __tablename__ = "source_qualities"
    __table_args__ = (
        CheckConstraint(
            "returned >= 0 AND unreachable >= 0 AND won >= 0 AND returned + unreachable <= judged"
            " AND won <= reached AND reached <= reported AND reported <= judged AND buyers BETWEEN 0 AND judged",
            name="source_qualities_check",
        ),
        UniqueConstraint("source_code", name="source_qualities_source_code_key"),
        Index("source_qualities_counted_at_idx", text("counted_at NULLS FIRST")),
        {"schema": "marketplace"},
    )

    publisher_id: Mapped[UUID] = mapped_column(primary_key=True)
    source_name: Mapped[str] = mapped_column(Text, primary_key=True)
    publisher_code: Mapped[str] = mapped_column(Text)
    source_code: Mapped[str] = mapped_column(Text)
    counted_at: Mapped[datetime | None] = mapped_column(Instant)
    verticals: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default="{}")
    buyers: Mapped[int] = mapped_column(server_default="0")
    judged: Mapped[int] = mapped_column(server_default="0")
    returned: Mapped[int] = mapped_column(server_default="0")
    unreachable: Mapped[int] = mapped_column(server_default="0")
    reported: Mapped[int] = mapped_column(server_default="0")
    reached: Mapped[int] = mapped_column(server_default="0")
    won: Mapped[int] = mapped_column(server_default="0")
