"""Promotional credit that operators give: with a reason, and above a sum only when a second one agrees."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from billing.wallets import grant_promo
from core.db import Model, db
from core.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from core.ids import new_id
from core.money import Money
from core.overrides import overrides

INSTANT = DateTime(timezone=True)
A_DAY = timedelta(days=1)
PERSON = "user:"  # how the name of somebody signed in begins; a key is the same person once more


class PromoGrant(Model):
    """Promotional credit that an operator wants to give: `waiting` for a second one, then `granted` or `refused`."""

    __tablename__ = "promo_grants"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="promo_grants_pkey"),
        UniqueConstraint("key", name="promo_grants_key_key"),
        CheckConstraint(
            "amount_minor > 0 AND length(currency) = 3 AND length(btrim(reason)) BETWEEN 1 AND 500 AND state IN "
            "('waiting', 'granted', 'refused') AND (state = 'waiting') = (decided_at IS NULL) AND (decided_at IS "
            "NULL) = (decided_by IS NULL) AND needs_second <= starts_with(asked_by, 'user:') AND (state = 'granted' "
            "AND needs_second) <= (decided_by <> asked_by AND starts_with(decided_by, 'user:'))",
            name="promo_grants_check",
        ),
        Index("promo_grants_account_id_idx", "account_id", "id"),
        Index("promo_grants_waiting_idx", "id", postgresql_where=text("state = 'waiting'")),
        {"schema": "billing"},
    )

    id: Mapped[UUID]
    key: Mapped[str] = mapped_column(Text)
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    needs_second: Mapped[bool]
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(INSTANT)

    @property
    def money(self) -> Money:
        """Return how much it is."""
        return Money(self.amount_minor, self.currency)


def ask_promo(account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> PromoGrant:
    """Give promotional credit at once, or let it wait for a second operator where it needs one; once a key.

    One is needed above the limit, into which goes all that the account was given without one within a day, whoever gave
    it. Invalid with the field for an unusable amount or reason; Conflict `key_reused` when the key stands for something
    else; NotAllowed `person_needed` when a second one is needed and nobody signed in asks.
    """
    _check(money, reason)
    lock = f"billing.promo:{account_id}"
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 0))))
    named = select(PromoGrant).where(PromoGrant.key == key)
    if db.session.scalar(named) is None:
        _write(account_id, money, key, reason.strip(), actor, at)
    grant = db.session.scalars(named).one()
    if (grant.account_id, grant.money, grant.reason) != (account_id, money, reason.strip()):
        raise Conflict("key_reused", "This key stands for another grant. Use a new one.")
    if grant.state == "waiting" and not grant.needs_second:
        _grant(grant, actor, at)
    return grant


def decide_promo(grant_id: UUID, *, agrees: bool, actor: str, at: datetime) -> PromoGrant:
    """Agree to a grant that waits, or refuse it; the same again changes nothing.

    NotAllowed `second_person_needed` for agreeing to one's own, `person_needed` when nobody signed in agrees, Conflict
    `already_decided` once it was decided otherwise.
    """
    grant = db.session.get(PromoGrant, grant_id, with_for_update=True, populate_existing=True)
    if grant is None:
        raise NotFound(detail="There is no grant with this id.")
    if grant.state != "waiting":
        if (grant.state == "granted") == agrees:
            return grant
        raise Conflict("already_decided", f"This grant was {grant.state} already.")
    if agrees and grant.needs_second:
        _demand_person(actor)
    if agrees and actor == grant.asked_by:
        raise NotAllowed("second_person_needed", "Ask another operator to agree: whoever asked cannot.")
    if agrees:
        _grant(grant, actor, at)
    else:
        _end(grant, "refused", actor, at)
    return grant


def grants_of(account_id: UUID, currency: str, most: int = 20) -> list[PromoGrant]:
    """Return what an account was given in a currency, or is to be, the newest first."""
    query = select(PromoGrant).where(PromoGrant.account_id == account_id, PromoGrant.currency == currency)
    return list(db.session.scalars(query.order_by(PromoGrant.id.desc()).limit(most)))


def grants_waiting(most: int = 100) -> list[PromoGrant]:
    """Return the grants that wait for a second operator, the oldest first."""
    query = select(PromoGrant).where(PromoGrant.state == "waiting")
    return list(db.session.scalars(query.order_by(PromoGrant.id).limit(most)))


def _grant(grant: PromoGrant, actor: str, at: datetime) -> None:
    posting = grant_promo(grant.account_id, grant.money, f"grant:{grant.id}", grant.reason, actor, at)
    if not posting.is_booked:
        raise Invalid(f"refused_{posting.code}", f"The ledger refused the credit: {posting.code}.")
    _end(grant, "granted", actor, at)


def _end(grant: PromoGrant, state: str, actor: str, at: datetime) -> None:
    grant.state, grant.decided_by, grant.decided_at = state, actor, at
    db.session.flush()


def _write(account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> None:
    alone = money.minor + _given_alone(account_id, at - A_DAY)
    needs_second = alone > overrides().setting("four_eyes.credit_minor")
    if needs_second:
        _demand_person(actor)
    row: dict[str, Any] = {
        "id": new_id(), "key": key, "account_id": account_id, "currency": money.currency, "amount_minor": money.minor,
        "reason": reason, "needs_second": needs_second, "asked_by": actor, "asked_at": at,
    }  # fmt: skip
    db.session.execute(insert(PromoGrant).values(row).on_conflict_do_nothing(index_elements=["key"]))


def _demand_person(actor: str) -> None:
    if not actor.startswith(PERSON):
        says = "This is above what is given alone within a day. Sign in, and ask on the page of the wallet."
        raise NotAllowed("person_needed", says)


def _given_alone(account_id: UUID, since: datetime) -> int:
    query = select(func.coalesce(func.sum(PromoGrant.amount_minor), 0)).where(
        PromoGrant.account_id == account_id, PromoGrant.asked_at > since, ~PromoGrant.needs_second
    )
    return int(db.session.scalar(query) or 0)


def _check(money: Money, reason: str) -> None:
    faults = []
    if money.minor <= 0:
        faults.append(Fault("amount.amount", "amount_out_of_range", "Give more than 0."))
    if not 1 <= len(reason.strip()) <= 500 or "\0" in reason:
        faults.append(Fault("reason", "missing", "Say why, in at most 500 characters: its owner reads it."))
    if faults:
        raise Invalid("invalid_promo", "This credit cannot be given.", faults)
