"""How often an account may do what costs something: counted in the database, so that all processes count together."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Text, delete, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import REAL_TIME
from core.db import Model, db
from core.errors import TooMany


class Rate(NamedTuple):
    """The most times in any window of so many seconds; a window begins with the first time after the one before."""

    times: int
    seconds: int


class RateRow(Model):
    """How often an account did something since a window began."""

    __tablename__ = "rates"
    __table_args__ = (CheckConstraint("used > 0"), {"schema": "core"})

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(Text, primary_key=True)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used: Mapped[int]


_COUNT = text("""
    INSERT INTO core.rates AS r (account_id, what, began_at, used) VALUES (:account, :what, :now, 1)
    ON CONFLICT (account_id, what) DO UPDATE SET
        began_at = CASE WHEN r.began_at <= :over THEN :now ELSE r.began_at END,
        used = CASE WHEN r.began_at <= :over THEN 1 ELSE r.used + 1 END
    RETURNING used, began_at
""")


def forget_rates(before: datetime) -> None:
    """Delete the windows that began before this real instant."""
    db.session.execute(delete(RateRow).where(RateRow.began_at < before))


def count_towards(rate: Rate, account_id: UUID, what: str) -> None:
    """Count once in the session's transaction, by real time; TooMany when the rate is used up, and nothing counts."""
    now, window = REAL_TIME.now(), timedelta(seconds=rate.seconds)
    asked = {"account": account_id, "what": what, "now": now, "over": now - window}
    used, began_at = db.session.execute(_COUNT, asked).one()
    if used > rate.times:
        wait = max(1, round((began_at + window - now).total_seconds()))
        raise TooMany(f"At most {rate.times} times in {rate.seconds} seconds; try again in {wait} seconds.", wait)
