"""What people do about payouts, each with the row of the log that says who did it and why; whom is told what waits."""

from datetime import datetime
from uuid import UUID

from affiliates import ask_payout
from billing import (
    Payout,
    PayoutDebtor,
    PayoutFile,
    PayoutRail,
    PayoutResult,
    RailWish,
    approve_payout,
    counted_payouts,
    find_bank_account,
    find_rail,
    get_payout,
    give_up_payout_file,
    hand_on_payout_file,
    make_payout_file,
    say_rail,
    take_payout_back,
    take_payout_results,
    try_payout_again,
    withdraw_payout,
)
from core.db import db
from core.errors import NotAllowed
from core.identity import accounts_of_kind, places_of
from core.ids import show_id
from core.outbox import announce
from marketplace.leads.models import Event

PERSON = "user:"  # how the name of somebody signed in begins
NEWS = "billing.payouts_wait"  # the job by which the lower floor tells that some wait


def choose_rail(publisher_id: UUID, wish: RailWish, actor: str, at: datetime) -> PayoutRail:
    """Have a publisher be paid elsewhere, leaving an event and telling all of the account's people."""
    before = find_rail(publisher_id)
    rail = say_rail(publisher_id, wish, actor, at)
    if before is None or before.id != rail.id:
        _log(publisher_id, "payout_rail>said", actor, f"{rail.kind} {masked(rail)}", at)
        data = {"account": str(publisher_id), "kind": rail.kind, "place": masked(rail)}
        told = {"event": "payout.rail_said", "at": at.isoformat(), "accounts": [str(publisher_id)], "data": data}
        announce("notice", told)
    return rail


def ask(publisher_id: UUID, currency: str, actor: str, at: datetime) -> Payout:
    """Draft a payout that a publisher asks for, leaving an event; raises what `ask_payout` does."""
    payout = ask_payout(publisher_id, currency, actor, at)
    _log(publisher_id, "payout>asked", actor, _named(payout), at)
    return payout


def agree(payout_id: UUID, actor: str, at: datetime) -> Payout:
    """Agree to a draft, leaving an event; raises what `approve_payout` does, NotAllowed `own_payout` of one's own."""
    if get_payout(payout_id).payout.account_id in _accounts_of(actor):
        raise NotAllowed("own_payout", "Ask another operator to agree: you belong to the account that is paid.")
    payout = approve_payout(payout_id, actor, at)
    step = "agreed" if payout.state == "drafted" else "approved"
    _log(payout.account_id, f"payout>{step}", actor, _named(payout), at)
    return payout


def withdraw(payout_id: UUID, why: str, actor: str, at: datetime) -> Payout:
    """Give up a draft, leaving an event."""
    payout = withdraw_payout(payout_id, why, actor, at)
    _log(payout.account_id, "payout>withdrawn", actor, f"{_named(payout)}: {why.strip()}", at)
    return payout


def again(payout_id: UUID, actor: str, at: datetime) -> Payout:
    """Draft a refused payout once more, for where its publisher is paid now, leaving an event."""
    rail = find_rail(get_payout(payout_id).payout.account_id)
    payout = try_payout_again(payout_id, rail.id if rail else None, actor, at)
    _log(payout.account_id, "payout>tried_again", actor, _named(payout), at)
    return payout


def take_back(payout_id: UUID, why: str, actor: str, at: datetime) -> None:
    """Ask for a transfer back, leaving an event."""
    reversal = take_payout_back(payout_id, why, actor, at)
    payout = get_payout(reversal.payout_id).payout
    _log(payout.account_id, "payout>asked_back", actor, f"{_named(payout)}: {why.strip()}", at)


def make_file(kind: str, currency: str, actor: str, at: datetime) -> PayoutFile | None:
    """Write the file of all approved payouts of a rail, leaving an event; None when all of them were withdrawn."""
    ours = find_bank_account(currency) if kind == "sepa" else None
    debtor = PayoutDebtor(ours.payee, ours.iban, ours.bic) if ours else None
    file = make_payout_file(kind, currency, debtor, actor, at)
    if file is None:
        return None
    _log(file.id, "payout_file>made", actor, f"{kind}: {file.lines} x {file.money} {currency}", at)
    return file


def hand_on(file_id: UUID, actor: str, at: datetime) -> PayoutFile:
    """Note that a file was given to whoever pays, leaving an event."""
    file = hand_on_payout_file(file_id, actor, at)
    if file.handed_at == at:
        _log(file.id, "payout_file>handed_on", actor, f"{file.kind}: {file.money} {file.currency}", at)
    return file


def give_up(file_id: UUID, actor: str, at: datetime) -> PayoutFile:
    """Give up a file that was never handed on, leaving an event."""
    file = give_up_payout_file(file_id, actor, at)
    if file.cancelled_at == at:
        _log(file.id, "payout_file>given_up", actor, f"{file.kind}: {file.money} {file.currency}", at)
    return file


def take_results(raw: bytes, kind: str, name: str, actor: str, at: datetime) -> tuple[PayoutResult, bool]:
    """Take in a sheet of results, leaving an event; False beside it when it was taken in before."""
    found, is_new = take_payout_results(raw, kind, name, actor, at)
    if is_new:
        _log(found.id, "payout_results>taken_in", actor, f"{kind}: {found.lines} lines", at)
    return found, is_new


def announce_waiting(at: datetime) -> None:
    """Tell every operator how many payouts wait for a person or for our balance."""
    waiting = {one.state: 0 for one in counted_payouts()}
    for one in counted_payouts():
        waiting[one.state] += one.count
    accounts = [str(one.id) for one in accounts_of_kind("operator")]
    data = {"drafted": waiting.get("drafted", 0), "approved": waiting.get("approved", 0)}
    announce("notice", {"event": "payouts.waiting", "at": at.isoformat(), "accounts": accounts, "data": data})


def masked(rail: PayoutRail) -> str:
    """Say where a rail goes so that its owner knows it and nobody else learns it."""
    place = rail.destination or ""
    if rail.kind == "connect":
        return "Stripe"
    return f"{place[:2]}…{place[-4:]}" if rail.kind == "sepa" else f"{place[:1]}…@{place.rpartition('@')[2]}"


def _accounts_of(actor: str) -> set[UUID]:
    """Return the accounts that somebody signed in belongs to; none of a program's."""
    try:
        user_id = UUID(actor.removeprefix(PERSON))
    except ValueError:
        return set()
    return {one.account_id for one in places_of(user_id)}


def _named(payout: Payout) -> str:
    return f"{show_id('pay', payout.id)}, {payout.money} {payout.currency}"


def _log(subject_id: UUID, move: str, actor: str, why: str, at: datetime) -> None:
    db.session.add(Event(subject_id=subject_id, at=at, move=move, actor=actor, why=why))
    db.session.flush()
