"""The bank accounts of the exchange: where transfers go, by currency, and which accounts' statements are read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from billing.bank.models import BankAccount
from billing.iban import iban_fault, is_bic, plain
from core.db import db
from core.errors import Fault, Invalid
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
    """Have transfers in a currency go to this account from now on; what is said already is not said again.

    Invalid `invalid_bank_account` with every fault.
    """
    iban, bic, name = plain(payee.iban), plain(payee.bic), " ".join(payee.name.split())
    if faults := _faults(payee.currency, name, iban, bic):
        raise Invalid("invalid_bank_account", "Transfers go where they went.", faults)
    present = find_bank_account(payee.currency)
    if present and (present.payee, present.iban, present.bic) == (name, iban, bic):
        return present
    row = BankAccount(id=new_id(), currency=payee.currency, payee=name, iban=iban, bic=bic, actor=actor, said_at=at)
    db.session.add(row)
    db.session.flush()
    return row


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
