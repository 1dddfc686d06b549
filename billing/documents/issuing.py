"""Issuing documents within the transaction of the posting that they are about, each posting once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.documents.content import LAYOUT, Content, Party, Reference, as_kept
from billing.documents.details import details_of
from billing.documents.models import Document
from billing.models import Transaction
from core.db import db
from core.http import settings
from core.identity import language_of
from core.ids import new_id
from core.money import Money


@dataclass(frozen=True, slots=True)
class Paid:
    """How money came or went: the method as people know it, the payment's id where there is one, and its day if known.

    Without a day it came or went when it is booked; with one, its hour is not known, and midnight in UTC stands for it.
    """

    method: str
    payment_id: str | None = None
    on: date | None = None

    def instant(self, at: datetime) -> datetime:
        """Return when money that is booked at an instant came or went."""
        return at.astimezone(UTC) if self.on is None else datetime.combine(self.on, time(), UTC)


def issue_receipt(account_id: UUID, money: Money, key: str, about_id: UUID, paid: Paid, at: datetime) -> None:
    """Issue the receipt of money that the posting under this key brought into a wallet, once.

    To be called in the transaction of that posting, whatever brought the money: a card, a transfer, a collection.
    """
    _issue("receipt", account_id, money, key, about_id, paid, at)


def issue_credit_note(
    account_id: UUID,
    money: Money,
    key: str,
    about_id: UUID,
    paid: Paid,
    parts: Sequence[tuple[UUID, int]],
    at: datetime,
) -> None:
    """Issue the credit note of money that the posting under this key sent back, once.

    `parts` are the top-ups that it came from, each with what goes back of it, in minor units.
    """
    _issue("credit_note", account_id, money, key, about_id, paid, at, _references("receipt", parts))


def issue_return_receipt(
    account_id: UUID, money: Money, key: str, about_id: UUID, paid: Paid, order_id: UUID, at: datetime
) -> None:
    """Issue the receipt of money that was sent back in vain, once; it refers to the credit note of that order."""
    _issue("receipt", account_id, money, key, about_id, paid, at, _references("credit_note", [(order_id, money.minor)]))


def _references(kind: str, parts: Sequence[tuple[UUID, int]]) -> tuple[Reference, ...]:
    query = select(Document).where(Document.kind == kind, Document.about_id.in_([one for one, _ in parts]))
    found = {row.about_id: row.shown_number for row in db.session.scalars(query.order_by(Document.id))}
    return tuple(Reference(number=found[one], amount_minor=minor) for one, minor in parts if one in found)


def _issue(
    kind: str, account_id: UUID, money: Money, key: str, about_id: UUID, paid: Paid, at: datetime,
    refers_to: tuple[Reference, ...] = (),
) -> None:  # fmt: skip
    payer = details_of(account_id)
    content = Content(
        layout=LAYOUT, seller=Party(**asdict(settings().seller)), language=language_of(account_id) or "en",
        payer=Party(name=payer.name, address=payer.address, vat_id=payer.vat_id), method=paid.method,
        payment_id=paid.payment_id, paid_at=paid.instant(at), refers_to=refers_to, is_test=settings().test_money,
    )  # fmt: skip
    booked = select(Transaction.id).where(Transaction.key == key).scalar_subquery()
    row = {
        "id": new_id(), "kind": kind, "year": at.astimezone(UTC).year, "account_id": account_id,
        "currency": money.currency, "amount_minor": money.minor, "about_id": about_id, "transaction_id": booked,
        "content": as_kept(content), "issued_at": at,
    }  # fmt: skip
    db.session.execute(insert(Document).values(row).on_conflict_do_nothing(index_elements=["transaction_id"]))
