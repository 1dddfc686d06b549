"""What operators do about the bank and about suspense, each with the row of the log that says who did it and why."""

from datetime import datetime
from uuid import UUID

from billing import (
    BankAccount,
    BankAccountWish,
    BankImport,
    Payee,
    SuspenseMove,
    Wish,
    agree_to_import,
    ask_bank_account,
    confirm_move,
    decide_bank_account,
    find_bank_account,
    get_suspended,
    move_suspense,
    outcomes_of,
    refuse_import,
    say_bank_account,
    settle_against,
    settle_by_hand,
    wake_bank,
    withdraw_move,
)
from core.db import db
from core.errors import Fault, Invalid, NotFound
from core.identity import accounts_of_kind, get_account
from core.ids import parse_id, show_id
from core.money import Money, is_currency
from core.outbox import announce
from marketplace.leads.models import Event

WORDS = {"assign": "assigned", "return": "owed_back", "fees": "to_fees", "fx": "to_fx", "charge": "charged"}


def wish_of(item_id: UUID, kind: str, amount: str, account: str, reason: str) -> Wish:
    """Read what somebody typed about an item; an empty amount is all that is left. Invalid with the field."""
    item, faults, account_id = get_suspended(item_id), [], None
    minor = abs(item.left_minor)
    if not is_currency(item.currency):
        # How many digits such a currency has is unknown here, so a part cannot be said, nor a wallet shown.
        if amount.strip():
            faults.append(Fault("amount", "currency_not_taken", "Leave the amount empty: only all of it can be moved."))
        if kind in ("assign", "charge"):
            faults.append(Fault("kind", "currency_not_taken", f"Choose another: no wallet here is in {item.currency}."))
    elif amount.strip():
        try:
            minor = Money.parse(amount.strip().replace(",", "."), item.currency).minor
        except ValueError:
            faults.append(Fault("amount", "bad_amount", "Write an amount such as 100 or 100.50."))
    if account.strip():
        try:
            account_id = get_account(parse_id("acc", account.strip()), "buyer").id
        except NotFound:
            faults.append(Fault("account", "unknown_account", "Give the id of a buyer's account: acc_ and 26 letters."))
    if faults:
        raise Invalid("invalid_suspense_move", "Nothing was moved.", faults)
    return Wish(item_id, kind, minor, reason.strip(), account_id)


def do_with_suspense(wish: Wish, actor: str, at: datetime) -> SuspenseMove:
    """Do, or propose, what is wished about an item, leaving an event; raises what `move_suspense` does."""
    move = move_suspense(wish, get_suspended(wish.item_id).is_credit, actor, at)
    _note(move, "suspense", "proposed" if move.state == "proposed" else WORDS[move.kind], actor, wish.reason, at)
    return move


def confirm(move_id: UUID, actor: str, at: datetime) -> SuspenseMove:
    """Confirm as a second person, leaving an event."""
    move = confirm_move(move_id, actor, at)
    _note(move, "proposed", WORDS[move.kind], actor, move.reason, at)
    return move


def withdraw(move_id: UUID, why: str, actor: str, at: datetime) -> SuspenseMove:
    """Give up what nothing was posted of, leaving an event."""
    move = withdraw_move(move_id, why, actor, at)
    _note(move, "waiting", "withdrawn", actor, why, at)
    return move


def settle(move_id: UUID, against: UUID | None, why: str, actor: str, at: datetime) -> SuspenseMove:
    """Say that what was owed back has left, by an amount in suspense or by a word alone, leaving an event."""
    if against is None:
        move = settle_by_hand(move_id, why, actor, at)
    else:
        move = settle_against(move_id, against, why, actor, at)
    _note(move, "owed_back", "sent_back", actor, why, at)
    return move


def name_first_account(payee: Payee, actor: str, at: datetime) -> BankAccount:
    """Name the first account that transfers in a currency go to, leaving an event of it; raises what the bank does."""
    row = say_bank_account(payee, actor, at)
    if row.said_at == at:
        _log(row.id, "bank_account>said", actor, f"{row.currency}: {row.payee}, {row.iban}", at)
    return row


def set_bank_account(payee: Payee, actor: str, at: datetime) -> str:
    """Name the first account of a currency, or ask a second person for another one, leaving an event.

    Returns `named` or `waiting`.
    """
    if find_bank_account(payee.currency) is None:
        name_first_account(payee, actor, at)
        return "named"
    wish = ask_bank_account(payee, actor, at)
    if wish.asked_at == at:
        _log(wish.id, "bank_account>asked", actor, f"{wish.currency}: {wish.payee}, {wish.iban}", at)
    return "waiting"


def decide_account(wish_id: UUID, *, agrees: bool, actor: str, at: datetime) -> BankAccountWish:
    """Agree to another account of the exchange as a second person, or refuse it, leaving an event."""
    wish = decide_bank_account(wish_id, agrees=agrees, actor=actor, at=at)
    move = "asked>named" if agrees else "asked>refused"
    _log(wish.id, move, actor, f"{wish.currency}: {wish.payee}, {wish.iban}", at)
    return wish


def decide_import(import_id: UUID, *, agrees: bool, actor: str, at: datetime) -> BankImport:
    """Agree to a file that credits without proof, as a second person, or have nothing more of it booked."""
    if not agrees:
        row = refuse_import(import_id, actor, at)
        _log(row.id, "asked>refused", actor, row.file_name, at)
        return row
    row = agree_to_import(import_id, actor)
    _log(row.id, "asked>agreed" if row.state == "read" else "asked>vouched", actor, row.file_name, at)
    if row.state == "read":
        wake_bank()
    return row


def announce_suspense(import_id: UUID, at: datetime) -> None:
    """Tell every operator how many entries of a bank's file stand in suspense."""
    accounts = [str(one.id) for one in accounts_of_kind("operator")]
    count = outcomes_of(import_id).get("suspense", 0)
    data = {"import": show_id("imp", import_id), "entries": count}
    announce("notice", {"event": "bank.suspense", "at": at.isoformat(), "accounts": accounts, "data": data})


def _note(move: SuspenseMove, before: str, after: str, actor: str, why: str, at: datetime) -> None:
    """Leave an event of the account that gets it, else of the amount itself."""
    _log(move.account_id or move.transaction_id, f"{before}>{after}", actor, why, at)


def _log(subject_id: UUID, move: str, actor: str, why: str, at: datetime) -> None:
    db.session.add(Event(subject_id=subject_id, at=at, move=move, actor=actor, why=why))
    db.session.flush()
