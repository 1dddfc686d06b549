"""What stands in suspense, whoever put it there, and what an operator does about it: never more than what is left.

Above a limit a second person confirms. What is sent back is owed until it has left, by a statement or by a word; what
the bank took back is charged to the wallet that had it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from billing.bank.alone import demand_person, is_alone_enough
from billing.bank.charging import charge_wallet, demand_had
from billing.bank.models import SuspenseMove
from billing.bank.references import BODY, make_reference
from billing.bank.standing import get_suspended
from billing.incoming import Incoming, credit_available
from billing.ledger import BANK, FEES, FX, SUSPENSE, Line, post
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.money import Money, is_currency

KINDS = ("assign", "return", "fees", "fx", "charge")
OF_WALLETS = ("assign", "charge")
_TAKE = text("SELECT billing.take_suspense(:item, :part)")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done about a part of an item: `minor` above zero, `account_id` where a wallet is meant."""

    item_id: UUID
    kind: str
    minor: int
    reason: str
    account_id: UUID | None = None


def move_suspense(wish: Wish, is_credit: bool, actor: str, at: datetime) -> SuspenseMove:
    """Take a part of an item for a wallet, to be sent back, or for fees and exchange differences; or charge it to one.

    Done at once, or proposed when its amount, with what the same person did alone within a day, is above
    `four_eyes.credit_minor`: NotAllowed `person_needed` then for nobody signed in. Invalid `invalid_suspense_move` for
    a wish that makes no sense, Conflict `suspense_used` when less is left, NotFound when nothing of this id stands in
    suspense. `is_credit` tells the item's side.
    """
    if faults := _faults(wish, is_credit):
        raise Invalid("invalid_suspense_move", "Nothing was moved.", faults)
    is_alone = is_alone_enough(actor, wish.minor, at)
    if not is_alone:
        demand_person(actor)
    part = wish.minor if is_credit else -wish.minor
    _take(wish.item_id, part)
    currency = str(db.session.scalar(_CURRENCY, {"item": wish.item_id}))
    if wish.kind == "charge" and wish.account_id is not None:
        demand_had(wish.account_id, Money(wish.minor, currency))
    reference = make_reference(f"{secrets.randbelow(10**BODY):0{BODY}d}") if wish.kind == "return" else None
    move = SuspenseMove(
        id=new_id(), transaction_id=wish.item_id, kind=wish.kind, currency=currency, amount_minor=part,
        account_id=wish.account_id, reference=reference, state="proposed", reason=wish.reason, actor=actor, asked_at=at,
    )  # fmt: skip
    if is_alone:
        _carry_out(move, actor, at)
    db.session.add(move)
    db.session.flush()
    return move


def confirm_move(move_id: UUID, actor: str, at: datetime) -> SuspenseMove:
    """Let a second person confirm what was proposed; Conflict `four_eyes` for whoever proposed it."""
    move = _get(move_id, "proposed")
    demand_person(actor)
    if move.actor == actor:
        raise Conflict("four_eyes", "You proposed this yourself: somebody else has to confirm it.")
    move.confirmed_by = actor
    _carry_out(move, actor, at)
    db.session.flush()
    return move


def withdraw_move(move_id: UUID, why: str, actor: str, at: datetime) -> SuspenseMove:
    """Give up what was proposed or is owed back, of which nothing was posted; its part is left again."""
    move = _get(move_id, "proposed", "owed")
    _take(move.transaction_id, -move.amount_minor)
    _end(move, "withdrawn", _demanded(why), actor, at)
    return move


def settle_by_hand(move_id: UUID, why: str, actor: str, at: datetime) -> SuspenseMove:
    """Book that money owed back has left the bank, where no statement will tell."""
    move = _get(move_id, "owed")
    lines = [Line(SUSPENSE, move.amount_minor), Line(BANK, -move.amount_minor)]
    _demanded(why)
    post("suspense_return", f"suspense:{move.id}", move.currency, lines, source=str(move.id), actor=actor, at=at,
         reason=why)  # fmt: skip
    _end(move, "done", why, actor, at)
    return move


def settle_against(move_id: UUID, debit_id: UUID, why: str, actor: str, at: datetime) -> SuspenseMove:
    """Say that money owed back has left by an amount that is in suspense itself; both sides are used up together.

    Conflict `not_money_out` for an amount that came in: nothing can have left by it.
    """
    move = _get(move_id, "owed")
    if get_suspended(debit_id).is_credit:
        raise Conflict("not_money_out", "This came in. Choose an amount that went out, by which it left.")
    _take(debit_id, -move.amount_minor)
    if db.session.scalar(_CURRENCY, {"item": debit_id}) != move.currency:
        raise Conflict("suspense_used", "It left in another currency than it is owed in.")
    move.against_id = debit_id
    _end(move, "done", _demanded(why), actor, at)
    return move


_CURRENCY = text("SELECT s.currency FROM billing.suspense_items s WHERE s.transaction_id = :item")
_LEFT = text("SELECT abs(s.left_minor) FROM billing.suspense_items s WHERE s.transaction_id = :item")


def _faults(wish: Wish, is_credit: bool) -> list[Fault]:
    faults = []
    if wish.kind not in KINDS:
        faults.append(Fault("kind", "not_allowed_value", f"Choose one of {', '.join(KINDS)}."))
    elif wish.kind in ("assign", "return") and not is_credit:
        says = "Choose charge, fees or fx: this money went out and is nobody's to have."
        faults.append(Fault("kind", "went_out", says))
    elif wish.kind == "charge" and is_credit:
        faults.append(Fault("kind", "came_in", "Choose another: this money came in, and nobody took it back."))
    if wish.minor <= 0:
        faults.append(Fault("amount", "bad_amount", "Give an amount above zero."))
    if (wish.kind in OF_WALLETS) != (wish.account_id is not None):
        says = "Name an account where a wallet gets it or is charged, and only there."
        faults.append(Fault("account", "required", says))
    if not 1 <= len(wish.reason.strip()) <= 1000:
        faults.append(Fault("reason", "required", "Say why, in at most 1000 letters: it stands in the log."))
    return faults


def _take(item_id: UUID, part: int) -> None:
    answer = db.session.scalar(_TAKE, {"item": item_id, "part": part})
    if answer == "no_item":
        raise NotFound(detail="Nothing of this id stands in suspense.")
    if answer != "taken":
        left, currency = db.session.scalar(_LEFT, {"item": item_id}), db.session.scalar(_CURRENCY, {"item": item_id})
        told = f"{Money(int(left or 0), currency)} {currency}" if is_currency(currency) else f"{left} {currency}"
        raise Conflict("suspense_used", f"Of this only {told} is left. Look at it again.")


def _carry_out(move: SuspenseMove, actor: str, at: datetime) -> None:
    if move.kind == "return":
        move.state = "owed"
        return
    key, source = f"suspense:{move.id}", str(move.id)
    if move.kind == "charge":
        charge_wallet(move, key, actor, at)
    elif move.account_id is not None:
        what = Incoming("suspense_assign", key, SUSPENSE, move.id, "assigned", move.reason)
        credit_available(move.account_id, Money(move.amount_minor, move.currency), what, actor, at)
    else:
        counter = FEES if move.kind == "fees" else FX
        lines = [Line(SUSPENSE, move.amount_minor), Line(counter, -move.amount_minor)]
        post(f"suspense_{move.kind}", key, move.currency, lines, source=source, actor=actor, at=at, reason=move.reason)
    move.state, move.ended_at, move.ended_by = "done", at, actor


def _get(move_id: UUID, *states: str) -> SuspenseMove:
    move = db.session.get(SuspenseMove, move_id, with_for_update=True, populate_existing=True)
    if move is None:
        raise NotFound(detail="There is no such move of suspense.")
    if move.state not in states:
        raise Conflict("move_ended", f"This is {move.state} already. Look at it again.")
    return move


def _demanded(why: str) -> str:
    if not 1 <= len(why.strip()) <= 1000:
        fault = Fault("reason", "required", "Say why, in at most 1000 letters: it stands in the log.")
        raise Invalid("invalid_suspense_move", "Nothing was moved.", [fault])
    return why


def _end(move: SuspenseMove, state: str, why: str, actor: str, at: datetime) -> None:
    move.state, move.ended_at, move.ended_by, move.ended_why = state, at, actor, why
    db.session.flush()
