"""Pro-formas: somebody means to transfer an amount, and gets the reference by which it will be known again."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from billing.bank.accounts import find_bank_account
from billing.bank.models import BankAccount, BankEntry, ProForma
from billing.bank.references import BODY, make_reference
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.money import Money
from core.overrides import overrides

OLD_AFTER = timedelta(days=30)  # it is called old then, and known as before
LEAST_MINOR, MOST_OPEN = 100, 100


def ask_pro_forma(account_id: UUID, money: Money, actor: str, at: datetime) -> ProForma:
    """Give a reference under which an amount can be transferred.

    Invalid `invalid_pro_forma` for an amount that is not taken; Conflict `no_bank_account` where nobody said to which
    account to pay, `too_many_open` above a hundred of which nothing came.
    """
    most = overrides().setting("wallet.transfer_most_minor")
    if not LEAST_MINOR <= money.minor <= most:
        bounds = [f"{Money(minor, money.currency)} {money.currency}" for minor in (LEAST_MINOR, most)]
        fault = Fault("amount", "amount_out_of_range", f"Transfer from {bounds[0]} to {bounds[1]} at once.")
        raise Invalid("invalid_pro_forma", "This amount cannot be transferred.", [fault])
    bank = find_bank_account(money.currency)
    if bank is None:
        raise Conflict(
            "no_bank_account", f"This exchange takes no transfers in {money.currency} yet. Ask its operator."
        )
    if len(open_pro_formas(account_id, MOST_OPEN)) == MOST_OPEN:
        raise Conflict(
            "too_many_open", f"Of {MOST_OPEN} pro-formas nothing has come yet. Cancel those you do not need."
        )
    reference = make_reference(f"{secrets.randbelow(10**BODY):0{BODY}d}")
    row = ProForma(id=new_id(), account_id=account_id, currency=money.currency, amount_minor=money.minor,
                   reference=reference, bank_account_id=bank.id, actor=actor, asked_at=at,
                   received_minor=0)  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def get_pro_forma(account_id: UUID, pro_forma_id: UUID) -> tuple[ProForma, BankAccount]:
    """Return an account's pro-forma and where it is to be paid; NotFound for anybody else's."""
    query = select(ProForma, BankAccount).join(BankAccount, BankAccount.id == ProForma.bank_account_id)
    found = db.session.execute(query.where(ProForma.id == pro_forma_id, ProForma.account_id == account_id)).first()
    if found is None:
        raise NotFound(detail="There is no pro-forma of yours with this id.")
    return found[0], found[1]


def pro_formas_of(account_id: UUID, most: int = 50) -> list[ProForma]:
    """Return an account's pro-formas, the newest first."""
    query = select(ProForma).where(ProForma.account_id == account_id)
    return list(db.session.scalars(query.order_by(ProForma.asked_at.desc(), ProForma.id.desc()).limit(most)))


def payable_pro_formas_of(account_id: UUID, most: int = 50) -> list[tuple[ProForma, BankAccount]]:
    """Return an account's pro-formas, the newest first, each with where it is to be paid."""
    query = select(ProForma, BankAccount).join(BankAccount, BankAccount.id == ProForma.bank_account_id)
    query = query.where(ProForma.account_id == account_id)
    rows = db.session.execute(query.order_by(ProForma.asked_at.desc(), ProForma.id.desc()).limit(most))
    return [(row, bank) for row, bank in rows]


def open_pro_formas(account_id: UUID, most: int) -> list[ProForma]:
    """Return the pro-formas of an account of which nothing has come, and which nobody cancelled."""
    query = select(ProForma).where(
        ProForma.account_id == account_id, ProForma.received_minor == 0, ProForma.cancelled_at.is_(None)
    )
    return list(db.session.scalars(query.limit(most)))


def transfers_of(pro_forma_id: UUID) -> list[BankEntry]:
    """Return what came under a pro-forma's reference, in the order of its days."""
    query = select(BankEntry).where(BankEntry.pro_forma_id == pro_forma_id)
    return list(db.session.scalars(query.order_by(BankEntry.booked_on, BankEntry.id).limit(100)))


def cancel_pro_forma(account_id: UUID, pro_forma_id: UUID, at: datetime) -> ProForma:
    """Say that a pro-forma is not to be paid, once; what comes under its reference all the same is its owner's."""
    query = select(ProForma).where(ProForma.id == pro_forma_id, ProForma.account_id == account_id).with_for_update()
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(detail="There is no pro-forma of yours with this id.")
    row.cancelled_at = row.cancelled_at or at
    return row
