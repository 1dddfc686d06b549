"""What earners owe, since when; what is owed for long is a receivable, which two people may write off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, PrimaryKeyConstraint, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.models import Earner
from billing.payouts.moving import PERSON, one_at_a_time
from core.db import Model, db
from core.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from core.ids import new_id
from core.money import Money
from core.overrides import overrides

INSTANT = DateTime(timezone=True)
_SINCE = text("SELECT account_id, since FROM billing.owed_since(:accounts, :currency)")
_BOOK = text("SELECT billing.book_write_off(:id, :actor, :at)")


class WriteOff(Model):
    """A wish to give up what an earner owes: `waiting` until another person has it `booked`, or it is `refused`."""

    __tablename__ = "write_offs"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="write_offs_pkey"),
        CheckConstraint(
            "amount_minor > 0 AND length(currency) = 3 AND length(btrim(reason)) BETWEEN 1 AND 500 AND state IN "
            "('waiting', 'booked', 'refused') AND (state = 'waiting') = (decided_at IS NULL) AND (decided_at IS NULL) "
            "= (decided_by IS NULL) AND starts_with(asked_by, 'user:') AND (state = 'booked') <= (decided_by <> "
            "asked_by AND starts_with(decided_by, 'user:'))",
            name="write_offs_check",
        ),
        Index("write_offs_waiting_idx", "account_id", "currency", unique=True,
              postgresql_where=text("state = 'waiting'")),
        Index("write_offs_account_id_idx", "account_id", "id"),
        {"schema": "billing"},
    )  # fmt: skip

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    owed_since: Mapped[datetime] = mapped_column(INSTANT)
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(INSTANT)

    @property
    def money(self) -> Money:
        """Return how much it is."""
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Owed:
    """What one earner owes, since when without a break, and whether that is long enough to be written off."""

    account_id: UUID
    money: Money
    since: datetime
    is_receivable: bool


def owed_by_earners(at: datetime, most: int = 100) -> list[Owed]:
    """Return the earners who owe something, those who owe most first."""
    query = select(Earner).where(Earner.owed > 0).order_by(Earner.owed.desc(), Earner.account_id).limit(most)
    return _owed(list(db.session.scalars(query.execution_options(populate_existing=True))), at)


def owed_by(account_id: UUID, currency: str, at: datetime) -> Owed | None:
    """Return what one earner owes in a currency; None when it is nothing."""
    row = db.session.get(Earner, (account_id, currency), populate_existing=True)
    return next(iter(_owed([row] if row is not None and row.owed > 0 else [], at)), None)


def ask_write_off(account_id: UUID, currency: str, reason: str, actor: str, at: datetime) -> WriteOff:
    """Ask that all that an earner owes is given up, for another person to agree; again while it waits changes nothing.

    Conflict `not_receivable` while it is owed for less than `debt.receivable_after_days`, or nothing is.
    """
    _demand_person(actor)
    if not 1 <= len(reason.strip()) <= 500 or "\0" in reason:
        fault = Fault("reason", "missing", "Say why, in at most 500 characters: it stands in the books.")
        raise Invalid("invalid_write_off", "Nothing was asked.", [fault])
    one_at_a_time(f"write_off:{account_id}:{currency}")
    if waiting := waiting_write_off(account_id, currency):
        return waiting
    owed = owed_by(account_id, currency, at)
    if owed is None or not owed.is_receivable:
        raise Conflict("not_receivable", "Wait: what is owed is netted against what is earned, and is not old enough.")
    row = WriteOff(id=new_id(), account_id=account_id, currency=currency, amount_minor=owed.money.minor,
                   state="waiting", owed_since=owed.since, reason=reason.strip(), asked_by=actor,
                   asked_at=at)  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def decide_write_off(write_off_id: UUID, *, agrees: bool, actor: str, at: datetime) -> WriteOff:
    """Have a wish booked (D bad_debt / C recv:earner) as the second person, or refuse it; the same again does nothing.

    NotAllowed `second_person_needed` for agreeing to one's own, Conflict `already_decided` once it was decided
    otherwise, `owes_less` when less is owed by now.
    """
    _demand_person(actor)
    row = db.session.get(WriteOff, write_off_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(detail="There is no such wish to write off.")
    if row.state != "waiting":
        if (row.state == "booked") == agrees:
            return row
        raise Conflict("already_decided", f"This was {row.state} already.")
    if agrees and actor == row.asked_by:
        raise NotAllowed("second_person_needed", "Ask another operator to agree: whoever asked cannot.")
    if agrees and not db.session.scalar(_BOOK, {"id": row.id, "actor": actor, "at": at}):
        raise Conflict("owes_less", "Less is owed by now. Refuse this, and ask again for what is left.")
    row.state, row.decided_by, row.decided_at = ("booked" if agrees else "refused"), actor, at
    db.session.flush()
    return row


def waiting_write_off(account_id: UUID, currency: str) -> WriteOff | None:
    """Return the wish about an earner that waits."""
    query = select(WriteOff).where(WriteOff.account_id == account_id, WriteOff.currency == currency)
    return db.session.scalar(query.where(WriteOff.state == "waiting"))


def write_offs_waiting(most: int = 100) -> list[WriteOff]:
    """Return the wishes that wait for a second person, the oldest first."""
    query = select(WriteOff).where(WriteOff.state == "waiting").order_by(WriteOff.id).limit(most)
    return list(db.session.scalars(query))


def write_offs_of(account_id: UUID, currency: str, most: int = 20) -> list[WriteOff]:
    """Return what was wished about an earner, the newest first."""
    query = select(WriteOff).where(WriteOff.account_id == account_id, WriteOff.currency == currency)
    return list(db.session.scalars(query.order_by(WriteOff.id.desc()).limit(most)))


def _owed(rows: Sequence[Earner], at: datetime) -> list[Owed]:
    after = timedelta(days=overrides().setting("debt.receivable_after_days"))
    since: dict[tuple[UUID, str], datetime] = {}
    for currency in {row.currency for row in rows}:
        accounts = [row.account_id for row in rows if row.currency == currency]
        found = db.session.execute(_SINCE, {"accounts": accounts, "currency": currency})
        since |= {(account_id, currency): instant for account_id, instant in found}
    return [
        Owed(row.account_id, Money(row.owed, row.currency), instant, at - instant >= after)
        for row in rows
        if (instant := since.get((row.account_id, row.currency)))
    ]


def _demand_person(actor: str) -> None:
    if not actor.startswith(PERSON):
        raise NotAllowed("person_needed", "Sign in and do this on the page: a program cannot.")
