"""What is to be paid to whom: drafted once a run and earner, or left out for a reason; agreed to, withdrawn, repeated.

A draft moves no money: what it names stays payable until it is ordered, and a claw-back may take it before.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from billing.payouts.models import Payout, PayoutEvent, PayoutRail, PayoutRun
from billing.payouts.moving import ACTOR, PERSON, get_locked, move, note, one_at_a_time
from billing.payouts.stages import ORDERED, WAITING
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotAllowed
from core.ids import new_id
from core.money import Money
from core.overrides import overrides

A_DAY = timedelta(days=1)
BY_HAND = "withdrawn_by_operator"
CAME_BACK = "came_back"  # of a draft that pays what somebody says has come back


@dataclass(frozen=True, slots=True)
class Draft:
    """What a run finds for one earner: an amount for a rail, or nothing, for a reason; beside a rail it explains."""

    account_id: UUID
    money: Money
    rail_id: UUID | None
    reason: str | None = None
    needs_review: bool = False


def open_run(key: str, currency: str, due_on: date, actor: str, at: datetime) -> PayoutRun:
    """Return the run of a key, begun if it was not, and lock it: whoever drafts for it does so alone."""
    row = {"id": new_id(), "key": key, "currency": currency, "due_on": due_on, "begun_by": actor, "begun_at": at}
    db.session.execute(insert(PayoutRun).values(row).on_conflict_do_nothing(index_elements=["key"]))
    query = select(PayoutRun).where(PayoutRun.key == key).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def note_seen(run: PayoutRun, seen_to: UUID | None, at: datetime) -> None:
    """Note the last account that a run has looked at; None when it has seen all."""
    run.seen_to = seen_to or run.seen_to
    run.ended_at = at if seen_to is None else None
    db.session.flush()


def draft(run: PayoutRun, wanted: Draft, actor: str, at: datetime) -> Payout:
    """Draft a payout, or write down why there is none, once a run and earner; what needs nobody's eye is approved.

    With an earner whose last draft still waits, this one is left out (`draft_waits`).
    """
    one_at_a_time(f"{wanted.account_id}")
    query = select(Payout).where(Payout.run_id == run.id, Payout.account_id == wanted.account_id, Payout.attempt == 1)
    if found := db.session.scalar(query):
        return found
    reason, rail_id = wanted.reason, wanted.rail_id
    if rail_id is not None and has_waiting(wanted.account_id, run.currency):
        reason, rail_id = "draft_waits", None
    return _write(run.id, 1, Draft(wanted.account_id, wanted.money, rail_id, reason, wanted.needs_review), actor, at)


def approve(payout_id: UUID, actor: str, at: datetime) -> Payout:
    """Agree to a draft: the second person of two when it needs them, the only one otherwise.

    NotAllowed `person_needed` for a program or key, `second_person_needed` for the same person twice; Conflict
    `payout_state` once it was decided. What is approved already stays so.
    """
    if not actor.startswith(PERSON):
        raise NotAllowed("person_needed", "Sign in and agree on the page: a program cannot.")
    payout = get_locked(payout_id)
    if payout.state == "approved":
        return payout
    if payout.state != "drafted":
        raise Conflict("payout_state", f"This payout is {payout.state}: look at it again.")
    if payout.reason == CAME_BACK and actor in _said_so(payout):
        raise NotAllowed("second_person_needed", "Ask another operator to agree: you said that the last one came back.")
    if payout.needs_second and payout.approved_by is None:
        payout.approved_by = actor
        note(payout, actor, at, "second_needed")
        return payout
    if payout.needs_second and payout.approved_by == actor:
        raise NotAllowed("second_person_needed", "Ask another operator to agree: you did already.")
    if payout.needs_second:
        payout.seconded_by = actor
    else:
        payout.approved_by = actor
    move(payout, "approved", actor, at)
    return payout


def withdraw(payout_id: UUID, why: str, actor: str, at: datetime) -> Payout:
    """Give up what is not ordered yet, with a reason that the earner reads; the money stays payable.

    Invalid without a reason, Conflict `payout_state` once it is ordered.
    """
    if not 1 <= len(why.strip()) <= 500 or "\0" in why:
        fault = Fault("reason", "missing", "Say why, in at most 500 characters: the earner reads it.")
        raise Invalid("invalid_payout", "Nothing was withdrawn.", [fault])
    payout = get_locked(payout_id)
    move(payout, "withdrawn", actor, at, reason=BY_HAND, says=why.strip())
    return payout


def try_again(payout_id: UUID, rail_id: UUID | None, actor: str, at: datetime) -> Payout:
    """Draft what was refused once more, as the next attempt of its run with a key of its own; once.

    It is approved as it was when only our balance was short; else its earner's present rail gets it, and whoever must
    agree does so again, a person always when that is another place. Conflict `payout_state` for what was not refused,
    and while another draft of his waits.
    """
    before = get_locked(payout_id)
    one_at_a_time(f"{before.account_id}")
    if before.state != "refused":
        raise Conflict("payout_state", f"This payout is {before.state}: only a refused one is tried again.")
    query = select(Payout).where(Payout.run_id == before.run_id, Payout.account_id == before.account_id)
    if later := db.session.scalar(query.where(Payout.attempt == before.attempt + 1)):
        return later
    if has_waiting(before.account_id, before.currency):
        raise Conflict("payout_waits", "Another payout of this earner waits. Decide that one first.")
    is_elsewhere = rail_id not in (None, before.rail_id)
    wanted = Draft(before.account_id, before.money, rail_id or before.rail_id, "tried_again",
                   before.needs_review or is_elsewhere)  # fmt: skip
    after = _write(before.run_id, before.attempt + 1, wanted, actor, at)
    if after.state == "drafted" and before.reason == "balance_insufficient":
        after.approved_by = before.approved_by
        if after.needs_second and before.seconded_by is None:  # what was small enough then may not be now
            note(after, actor, at, "second_needed")
            return after
        after.seconded_by = before.seconded_by
        move(after, "approved", actor, at)
    return after


def _write(run_id: UUID, attempt: int, wanted: Draft, actor: str, at: datetime) -> Payout:
    skipped = wanted.rail_id is None
    payout = Payout(
        id=new_id(), run_id=run_id, account_id=wanted.account_id, attempt=attempt, currency=wanted.money.currency,
        amount_minor=wanted.money.minor, back_minor=0, rail_id=wanted.rail_id,
        state="skipped" if skipped else "drafted", reason=wanted.reason,
        needs_review=not skipped and wanted.needs_review, needs_second=not skipped and _needs_second(wanted, at),
        drafted_at=at, moved_by=actor, moved_at=at,
    )  # fmt: skip
    db.session.add(payout)
    db.session.flush()
    if not skipped and not payout.needs_review and not payout.needs_second:
        payout.approved_by = ACTOR
        move(payout, "approved", ACTOR, at, reason=wanted.reason)
    return payout


def has_waiting(account_id: UUID, currency: str) -> bool:
    """Tell whether a draft of an earner in a currency is not ordered yet."""
    mine = select(Payout.id).where(Payout.account_id == account_id, Payout.currency == currency)
    return db.session.scalar(mine.where(Payout.state.in_(WAITING)).limit(1)) is not None


def _needs_second(wanted: Draft, at: datetime) -> bool:
    """Tell whether this is above the limit, with what the earner or his place got in a day without a second person.

    What came back by somebody's word counts, since the bank may have paid it. A raised limit counts after a day, in
    which everybody can see who raised it.
    """
    one, place = Payout, aliased(PayoutRail)
    his = (one.account_id == wanted.account_id) | (PayoutRail.destination == place.destination)
    got = case((one.file_id.is_not(None), one.amount_minor), else_=one.amount_minor - one.back_minor)
    query = select(func.coalesce(func.sum(got), 0)).join(PayoutRail, PayoutRail.id == one.rail_id)
    query = query.join(place, place.id == wanted.rail_id).where(
        his, one.state.in_((*WAITING, *ORDERED)), ~one.needs_second, one.drafted_at > at - A_DAY,
    )  # fmt: skip
    most = min(said.setting("four_eyes.payout_minor") for said in (overrides(), overrides(at - A_DAY)))
    return wanted.money.minor + int(db.session.scalar(query) or 0) > most


def _said_so(payout: Payout) -> set[str]:
    """Return who said that payouts of this earner by file came back, of which the newest is what this one repeats."""
    query = select(PayoutEvent.actor).distinct().join(Payout, Payout.id == PayoutEvent.payout_id)
    query = query.where(Payout.account_id == payout.account_id, Payout.currency == payout.currency,
                        Payout.file_id.is_not(None), PayoutEvent.to_state.in_(("failed", "refused")))  # fmt: skip
    return set(db.session.scalars(query))
