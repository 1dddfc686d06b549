"""Calls to the card processor: written with the fact that needs them, sent without a transaction, recorded once.

A call that was sent without a known outcome is sent again with the same key and payload, which the processor answers as
the first time, for as long as it remembers keys; a call that is older is looked up, and never sent again. One that
nobody wants any more is not sent while it waits, and is only looked up once it was sent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing.funding.models import CardCall
from billing.stripe_gateway import Refused, Undecided
from core.db import db, transaction
from core.failpoints import failpoint
from core.ids import new_id

REMEMBERED = timedelta(hours=23)  # Stripe forgets an idempotency key after 24 hours
PAUSES = (5, 30, 120, 600, 1800)  # seconds until the next try; the last one again and again
IN_HAND = timedelta(seconds=60)  # longer than any call takes
SETTLED = timedelta(hours=1)  # by then looks are half an hour apart, and what was sent before has arrived or never will


def _wanted(_: UUID) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Verb:
    """How a call is sent, looked up, and recorded; a look-up returns None when it never took effect.

    `forbids` tells why a call is not to be sent any more, in the transaction that would mark it as being sent and
    under the locks that come before the call's own.
    `record` gets the subject, what the call gave, and None or why it was refused, within the transaction that ends it.
    """

    send: Callable[[dict[str, Any], str], Any]
    look_up: Callable[[UUID], Any]
    record: Callable[[UUID, Any, str | None], None]
    forbids: Callable[[UUID], str | None] = _wanted


@dataclass(frozen=True, slots=True)
class Taken:
    """A call in hand."""

    id: UUID
    verb: str
    subject_id: UUID
    key: str
    payload: dict[str, Any]
    sent_at: datetime
    is_wanted: bool


def write_call(verb: str, subject_id: UUID, payload: dict[str, Any], *, is_in_hand: bool = False) -> UUID:
    """Write down what is to be asked of the processor, in the session's transaction; return the call's id.

    What is in hand is carried out by whoever writes it, and due for others only when that has had its time.
    """
    now = datetime.now(UTC)
    call = CardCall(
        id=new_id(), verb=verb, subject_id=subject_id, idempotency_key=f"leadbourse:{subject_id}", payload=payload,
        made_at=now, next_attempt_at=now + IN_HAND if is_in_hand else now,
    )  # fmt: skip
    db.session.add(call)
    db.session.flush()
    return call.id


def due_calls(most: int = 50) -> list[UUID]:
    """Return the calls whose time has come."""
    query = select(CardCall.id).where(
        CardCall.state.in_(("due", "sent")), CardCall.next_attempt_at <= datetime.now(UTC)
    )
    return list(db.session.scalars(query.order_by(CardCall.next_attempt_at).limit(most)))


def carry_out(call_id: UUID, verbs: dict[str, Verb], *, if_due: bool = False) -> bool:
    """Send a call, or look it up when the processor may have forgotten its key; False while nobody knows the outcome.

    With `if_due`, not when somebody else has taken it in hand meanwhile: the processor refuses two at once.

    Opens its own transactions; several processes may carry out one call at once, since its effect is one by its key.
    """
    with transaction():
        taken = _take(call_id, verbs, if_due)
    if taken is None:
        return True
    failpoint("call.taken")
    verb = verbs[taken.verb]
    try:
        given, why = _ask(taken, verb), None
    except Refused as refused:
        given, why = None, f"{refused.code}: {refused.says}"
    except Undecided:
        return False
    failpoint("call.answered")
    with transaction():
        _end(taken.id, verb, given, why)
    failpoint("call.recorded")
    return True


def withdraw(subject_id: UUID, why: str) -> bool:
    """End the call about a subject that was never sent; false when there is none that still waits."""
    query = select(CardCall).where(CardCall.subject_id == subject_id, CardCall.state == "due")
    call = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if call is not None:
        _withdraw(call, why)
    return call is not None


def _withdraw(call: CardCall, why: str) -> None:
    call.state, call.why, call.ended_at = "refused", why, datetime.now(UTC)


def _take(call_id: UUID, verbs: dict[str, Verb], if_due: bool) -> Taken | None:
    """Take a call in hand, setting when it is looked at again should we die; None when it has ended."""
    asked = db.session.execute(select(CardCall.verb, CardCall.subject_id).where(CardCall.id == call_id)).one_or_none()
    if asked is None:
        return None
    verb = verbs[asked.verb]
    why_not = verb.forbids(asked.subject_id)
    call = db.session.get(CardCall, call_id, with_for_update=True, populate_existing=True)
    now = datetime.now(UTC)
    if call is None or call.state not in ("due", "sent") or (if_due and call.next_attempt_at > now):
        return None
    if call.state == "due" and why_not is not None:
        _withdraw(call, why_not)
        verb.record(call.subject_id, None, why_not)
        return None
    return _taken(call, now, is_wanted=why_not is None)


def _taken(call: CardCall, now: datetime, *, is_wanted: bool) -> Taken:
    pause = timedelta(seconds=PAUSES[min(call.attempts, len(PAUSES) - 1)])
    call.state, call.attempts, call.sent_at = "sent", call.attempts + 1, call.sent_at or now
    call.next_attempt_at = now + IN_HAND + pause
    return Taken(call.id, call.verb, call.subject_id, call.idempotency_key, call.payload, call.sent_at,
                 is_wanted)  # fmt: skip


def _ask(taken: Taken, verb: Verb) -> Any:
    age = datetime.now(UTC) - taken.sent_at
    if age < REMEMBERED and taken.is_wanted:
        return verb.send(taken.payload, taken.key)
    try:
        found = verb.look_up(taken.subject_id)
    except Refused as refused:  # of the question, which says nothing of the call
        raise Undecided(str(refused)) from refused
    if found is None and age < SETTLED:
        raise Undecided("It may be on its way yet.")
    if found is None:
        raise Refused("never_arrived", "The call never arrived.")
    return found


def _end(call_id: UUID, verb: Verb, given: Any, why: str | None) -> None:
    call = db.session.get_one(CardCall, call_id, with_for_update=True, populate_existing=True)
    if call.state != "sent":
        return
    call.state, call.why, call.ended_at = ("refused" if why else "done"), why, datetime.now(UTC)
    call.object_id = given.id if given is not None else None
    verb.record(call.subject_id, given, why)
