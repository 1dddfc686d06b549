"""The bank accounts of the exchange: where transfers go, by currency, and which accounts' statements are read.

A currency's first account is named by one person. After that one asks and another agrees; until then the old one stays.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from billing.bank.alone import demand_person
from billing.bank.models import BankAccount, BankAccountWish
from billing.bank.references import iban_fault, is_bic, plain
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from core.ids import new_id
from core.money import is_currency

MOST_PAYEE = 70  # letters that a transfer carries


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid, and where."""

    currency: str
    name: str
    iban: str
    bic: str


def say_bank_account(payee: Payee, actor: str, at: datetime) -> BankAccount:
    """Name the first account of a currency; what is said already is not said again.

    Invalid `invalid_bank_account` with every fault; NotAllowed `second_person_needed` when transfers go elsewhere now.
    """
    told = _read(payee)
    _lock(told.currency)
    present = find_bank_account(told.currency)
    if present is not None:
        if _is_named(present, told):
            return present
        says = "Transfers in this currency go elsewhere. Ask for it on the page of the bank: another operator agrees."
        raise NotAllowed("second_person_needed", says)
    return _name(told, actor, at)


def ask_bank_account(payee: Payee, actor: str, at: datetime) -> BankAccountWish:
    """Ask that transfers in a currency go to another account; they do once another person agrees.

    Invalid `invalid_bank_account` with every fault, NotAllowed `person_needed` for nobody signed in, Conflict
    `account_waits` while another is asked for, `account_named` when they go there already.
    """
    told = _read(payee)
    demand_person(actor)
    _lock(told.currency)
    present = find_bank_account(told.currency)
    if present is not None and _is_named(present, told):
        raise Conflict("account_named", "Transfers in this currency go to this account already.")
    waiting = next((one for one in asked_bank_accounts() if one.currency == told.currency), None)
    if waiting is not None:
        if _is_named(waiting, told):
            return waiting
        raise Conflict("account_waits", f"Another account of {told.currency} waits already. Agree to it or refuse it.")
    row = BankAccountWish(id=new_id(), currency=told.currency, payee=told.name, iban=told.iban, bic=told.bic,
                          state="waiting", asked_by=actor, asked_at=at)  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def decide_bank_account(wish_id: UUID, *, agrees: bool, actor: str, at: datetime) -> BankAccountWish:
    """Agree that transfers go to the account that somebody else asked for, or refuse it.

    NotAllowed `second_person_needed` for agreeing to one's own, Conflict `already_decided` when it does not wait.
    """
    demand_person(actor)
    row = db.session.get(BankAccountWish, wish_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(detail="Nobody asked for such an account.")
    if row.state != "waiting":
        raise Conflict("already_decided", "This was decided already. Look at it again.")
    if agrees and row.asked_by == actor:
        raise NotAllowed("second_person_needed", "Ask another operator to agree: whoever asked cannot.")
    row.state, row.decided_by, row.decided_at = "named" if agrees else "refused", actor, at
    db.session.flush()
    if agrees:
        _lock(row.currency)
        _name(Payee(row.currency, row.payee, row.iban, row.bic), row.asked_by, at, row.id)
    return row


def asked_bank_accounts() -> list[BankAccountWish]:
    """Return the accounts that wait for a second person, by currency."""
    query = select(BankAccountWish).where(BankAccountWish.state == "waiting")
    return list(db.session.scalars(query.order_by(BankAccountWish.currency)))


def find_bank_account(currency: str) -> BankAccount | None:
    """Return where transfers in a currency go now."""
    query = select(BankAccount).where(BankAccount.currency == currency)
    return db.session.scalar(query.order_by(BankAccount.said_at.desc(), BankAccount.id.desc()).limit(1))


def bank_accounts() -> list[BankAccount]:
    """Return where transfers go now, by currency."""
    one = BankAccount
    query = select(one).ext(distinct_on(one.currency)).order_by(one.currency, one.said_at.desc(), one.id.desc())
    return list(db.session.scalars(query))


def is_ours(iban: str, currency: str) -> bool:
    """Tell whether an account is, or ever was, one that transfers in its currency go to."""
    query = select(BankAccount.id).where(BankAccount.iban == iban, BankAccount.currency == currency)
    return db.session.scalar(query.limit(1)) is not None


def _read(payee: Payee) -> Payee:
    told = Payee(payee.currency, " ".join(payee.name.split()), plain(payee.iban), plain(payee.bic))
    if faults := _faults(told.currency, told.name, told.iban, told.bic):
        raise Invalid("invalid_bank_account", "Transfers go where they went.", faults)
    return told


def _is_named(row: BankAccount | BankAccountWish, told: Payee) -> bool:
    return (row.payee, row.iban, row.bic) == (told.name, told.iban, told.bic)


def _name(told: Payee, actor: str, at: datetime, wish_id: UUID | None = None) -> BankAccount:
    row = BankAccount(id=new_id(), currency=told.currency, payee=told.name, iban=told.iban, bic=told.bic, actor=actor,
                      said_at=at, wish_id=wish_id)  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def _lock(currency: str) -> None:
    lock = func.hashtextextended(f"billing.bank_account:{currency}", 0)
    db.session.execute(select(func.pg_advisory_xact_lock(lock)))


def _faults(currency: str, name: str, iban: str, bic: str) -> list[Fault]:
    faults = []
    if not is_currency(currency):
        faults.append(Fault("currency", "currency_not_taken", "Give a currency that is traded here, such as EUR."))
    if not 1 <= len(name) <= MOST_PAYEE:
        faults.append(Fault("payee", "bad_length", f"Give the account's name, in at most {MOST_PAYEE} letters."))
    if wrong := iban_fault(iban):
        faults.append(Fault("iban", "bad_iban", wrong))
    if not is_bic(bic):
        faults.append(Fault("bic", "bad_bic", "Give the bank's BIC: 8 or 11 letters and digits."))
    return faults
