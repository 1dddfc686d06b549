"""The rows of mail that came back, and the addresses that are therefore mailed no more."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db


class Bounce(Model):
    """A mail that came back, once for each recipient; `forgiven_at` when the address was proved good again."""

    __tablename__ = "bounces"
    __table_args__ = (
        CheckConstraint("length(kind) = 1"),
        CheckConstraint("address = lower(address)"),
        Index("bounces_address_idx", "address", postgresql_where=text("permanent AND forgiven_at IS NULL")),
        {"schema": "core"},
    )

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    permanent: Mapped[bool]
    code: Mapped[str] = mapped_column(Text)
    says: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    forgiven_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def mark(bounce: Bounce) -> bool:
    """Keep a bounce; False when the same is known already."""
    values = {column.key: getattr(bounce, column.key) for column in Bounce.__table__.columns}
    made = db.session.execute(insert(Bounce).values(**values).on_conflict_do_nothing().returning(Bounce.address))
    return made.one_or_none() is not None


def bounced_among(addresses: Iterable[str]) -> set[str]:
    """Return, in small letters, those of these addresses from which mail came back for good."""
    asked = {address.lower() for address in addresses}
    found = select(Bounce.address).where(Bounce.address.in_(asked), Bounce.permanent, Bounce.forgiven_at.is_(None))
    return set(db.session.scalars(found)) if asked else set()


def forgive(address: str, at: datetime) -> None:
    """Mail an address again, because its owner has shown that mail arrives."""
    known = (Bounce.address == address.lower(), Bounce.forgiven_at.is_(None))
    db.session.execute(update(Bounce).where(*known).values(forgiven_at=at))


def bounces_of(address: str) -> list[Bounce]:
    """Return what came back from an address, the newest first."""
    return list(db.session.scalars(select(Bounce).where(Bounce.address == address.lower()).order_by(Bounce.at.desc())))
