"""What became of a payout: sent, refused, arrived, failed, taken back; each booked once, whoever tells of it first."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.ledger import AT_BANK_IN_TRANSIT, IN_FLIGHT, PAYABLE, Line
from billing.payouts.drafting import has_waiting, try_again
from billing.payouts.models import Payout, PayoutRail, PayoutReversal
from billing.payouts.moving import ACTOR, PERSON, get_locked, move, note, one_at_a_time, post_payout, tell
from billing.payouts.ordering import write_call
from billing.stripe_connect import Reversal, Transfer
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotAllowed
from core.ids import new_id
from core.money import Money


def record_transfer(payout_id: UUID, transfer: Transfer | None, why: str | None, at: datetime) -> None:
    """Note the transfer that was made, or why none was: then the money is payable again.

    When only our balance was short, the next attempt is drafted at once, with a key of its own.
    """
    payout = get_locked(payout_id)
    if transfer is None:
        _refuse(payout, why or "refused", at)
    elif payout.state == "ordered":
        payout.object_id = transfer.id
        move(payout, "sent", ACTOR, at)
        tell(payout, "payout.sent", at)


def settle_transfer(transfer: Transfer, at: datetime) -> str:
    """Note a transfer of ours whose answer may have been lost; return what that came to."""
    payout = find_payout(transfer.reference)
    if payout is None:
        return "unknown"
    if not is_transfer_of(payout.id, transfer):
        return "contradicts"
    record_transfer(payout.id, transfer, None, at)
    return payout.state if payout.object_id == transfer.id else "contradicts"


def is_transfer_of(payout_id: UUID, transfer: Transfer) -> bool:
    """Tell whether a transfer that names a payout is of its amount and went where it should: anybody may name one."""
    query = select(Payout, PayoutRail.destination).join(PayoutRail, PayoutRail.id == Payout.rail_id)
    row = db.session.execute(query.where(Payout.id == payout_id)).one_or_none()
    return row is not None and (row[0].money, row[1]) == (transfer.money, transfer.destination)


def find_payout(reference: str | None) -> Payout | None:
    """Return the payout that the processor's object names; None for an object that is not ours."""
    try:
        return db.session.get(Payout, UUID(reference or ""), populate_existing=True)
    except ValueError:
        return None


def payout_of_transfer(transfer_id: str) -> UUID | None:
    """Return the payout that a transfer was made for."""
    return db.session.scalar(select(Payout.id).where(Payout.object_id == transfer_id))


def settle_left(payout_id: UUID, transfer_id: str, money: Money, at: datetime) -> Payout | None:
    """Note that a transfer has left our balance; None when it is not this payout's, of this amount, for the first time.

    Whoever calls books what is in flight against the balance.
    """
    payout = get_locked(payout_id)
    if (payout.state, payout.object_id, payout.money) != ("sent", transfer_id, money):
        return None
    move(payout, "paid", ACTOR, at)
    return payout


def settle_came_back(payout_id: UUID, money: Money, at: datetime) -> Payout | None:
    """Note that a transfer came back, in whole or in part; None when it never left, or less of it did.

    Whoever calls books the balance against what is payable.
    """
    payout = get_locked(payout_id)
    left = payout.amount_minor - payout.back_minor
    if payout.state not in ("paid", "failed") or money.currency != payout.currency or money.minor > left:
        return None
    payout.back_minor += money.minor
    if payout.back_minor == payout.amount_minor:
        move(payout, "reversed", ACTOR, at, reason="taken_back")
        tell(payout, "payout.failed", at)
    else:
        note(payout, ACTOR, at, "taken_back_in_part")
    return payout


def has_left(payout_id: UUID) -> bool:
    """Tell whether a transfer's leaving is booked."""
    return get_locked(payout_id).state not in ("ordered", "sent")


def fail_by_file(payout: Payout, reason: str, says: str, actor: str, at: datetime) -> None:
    """Book that a payer could not deliver a locked payout of a file: before or after it was said to be paid."""
    if payout.state == "failed":
        return
    was_paid = payout.state == "paid"
    counter = (
        Line(AT_BANK_IN_TRANSIT, payout.amount_minor)
        if was_paid
        else Line(IN_FLIGHT, payout.amount_minor, payout.account_id)
    )
    lines = [counter, Line(PAYABLE, -payout.amount_minor, payout.account_id)]
    kind = "transfer_back" if was_paid else "payout_back"
    post_payout(payout, kind, f"{payout.key}:failed", lines, actor, at)
    payout.back_minor = payout.amount_minor
    move(payout, "failed", actor, at, reason=reason, says=says)
    tell(payout, "payout.failed", at)


def pay_by_file(payout: Payout, actor: str, at: datetime) -> None:
    """Book that a payer has delivered a locked payout of a file; the bank's statement shows it later."""
    if payout.state == "paid":
        return
    lines = [Line(IN_FLIGHT, payout.amount_minor, payout.account_id), Line(AT_BANK_IN_TRANSIT, -payout.amount_minor)]
    move(payout, "paid", actor, at)
    post_payout(payout, "transfer", f"{payout.key}:paid", lines, actor, at)


def refuse_by_file(payout: Payout, reason: str, actor: str, at: datetime) -> None:
    """Make a locked payout of a file payable again that was never handed on."""
    _give_back(payout, actor, at)
    move(payout, "refused", actor, at, reason=reason)


def take_back(payout_id: UUID, why: str, actor: str, at: datetime) -> PayoutReversal:
    """Ask for all that is left of a transfer back, with a reason; the movement books it when it has come.

    NotAllowed `person_needed` for a program, Conflict `payout_state` for what did not leave by transfer or is being
    taken back already.
    """
    if not actor.startswith(PERSON):
        raise NotAllowed("person_needed", "Sign in and take it back on the page: a program cannot.")
    if not 1 <= len(why.strip()) <= 500 or "\0" in why:
        fault = Fault("reason", "missing", "Say why, in at most 500 characters: the earner reads it.")
        raise Invalid("invalid_payout", "Nothing was taken back.", [fault])
    payout = get_locked(payout_id)
    asked = select(PayoutReversal.id).where(PayoutReversal.payout_id == payout.id, PayoutReversal.state == "asked")
    if payout.object_id is None or payout.state not in ("paid", "failed") or db.session.scalar(asked) is not None:
        raise Conflict("payout_state", "Only a transfer that left is taken back, and once at a time.")
    reversal = PayoutReversal(id=new_id(), payout_id=payout.id, amount_minor=payout.amount_minor - payout.back_minor,
                              state="asked", says=why.strip(), asked_by=actor, asked_at=at)  # fmt: skip
    db.session.add(reversal)
    db.session.flush()
    note(payout, actor, at, "being_taken_back", why.strip())
    named = {"leadbourse": str(reversal.id)}
    payload = {"transfer": payout.object_id, "amount": reversal.amount_minor, "metadata": named}
    write_call("reverse_transfer", reversal.id, payload)
    return reversal


def record_reversal(reversal_id: UUID, given: Reversal | None, why: str | None, at: datetime) -> None:
    """Note what became of taking a transfer back; refused when the earner's account there has less."""
    reversal = db.session.get_one(PayoutReversal, reversal_id, with_for_update=True, populate_existing=True)
    payout = get_locked(reversal.payout_id)
    reversal.state, reversal.ended_at = ("done" if given else "refused"), at
    if given is None and payout.state != "reversed":
        note(payout, ACTOR, at, "not_taken_back", why)
    db.session.flush()


def transfer_of_reversal(reversal_id: UUID) -> str | None:
    """Return the transfer that a reversal is of."""
    query = select(Payout.object_id).join(PayoutReversal, PayoutReversal.payout_id == Payout.id)
    return db.session.scalar(query.where(PayoutReversal.id == reversal_id))


def _refuse(payout: Payout, why: str, at: datetime) -> None:
    if payout.state != "ordered":
        return
    code, _, says = why.partition(": ")
    one_at_a_time(f"{payout.account_id}")  # as who drafts, and as who orders: the rail before the earner
    rail = db.session.get_one(PayoutRail, payout.rail_id, with_for_update=True, populate_existing=True)
    _give_back(payout, ACTOR, at)
    move(payout, "refused", ACTOR, at, reason=code[:60], says=says)
    if code == "balance_insufficient" and not has_waiting(payout.account_id, payout.currency):
        try_again(payout.id, payout.rail_id, ACTOR, at)
        return
    rail.checked_at = None  # looked at again before the next payout
    tell(payout, "payout.failed", at)


def _give_back(payout: Payout, actor: str, at: datetime) -> None:
    lines = [
        Line(IN_FLIGHT, payout.amount_minor, payout.account_id),
        Line(PAYABLE, -payout.amount_minor, payout.account_id),
    ]
    post_payout(payout, "payout_back", f"{payout.key}:refused", lines, actor, at)
    payout.back_minor = payout.amount_minor
