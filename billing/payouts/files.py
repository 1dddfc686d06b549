"""Files of payouts: approved ones of one rail and currency, ordered together, written once, handed on or given up."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from billing.payouts.models import Payout, PayoutFile, PayoutRail
from billing.payouts.moving import get_all_locked, move, one_at_a_time, tell
from billing.payouts.ordering import order
from billing.payouts.outcomes import refuse_by_file
from billing.payouts.pain import Credit, Debtor, Order, write_order
from billing.payouts.sheets import Payee, write_sheet
from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.ids import new_id

KINDS = ("sepa", "wise", "paypal")
MOST_LINES = 5000


def make_file(kind: str, currency: str, debtor: Debtor | None, actor: str, at: datetime) -> PayoutFile | None:
    """Order all approved payouts of a rail in a currency and write their file; two at once write each payout once.

    None when none of them can be paid any more: they are withdrawn, which the caller must commit. Invalid for another
    kind, and for SEPA in another currency than euros; Conflict `no_bank_account` where the exchange has no account to
    pay from, `nothing_to_pay` when none is approved.
    """
    _check(kind, currency, debtor)
    one_at_a_time(f"file:{kind}:{currency}")
    query = select(Payout.id).join(PayoutRail, PayoutRail.id == Payout.rail_id)
    query = query.where(Payout.state == "approved", PayoutRail.kind == kind, Payout.currency == currency)
    found = get_all_locked(db.session.scalars(query.order_by(Payout.account_id).limit(MOST_LINES)))
    approved = [one for one in found if one.state == "approved"]
    if not approved:
        raise Conflict("nothing_to_pay", "No approved payout can go into such a file now.")
    payouts = [one for one in approved if order(one, actor, at)]
    if not payouts:
        return None
    total = sum(one.amount_minor for one in payouts)
    file = PayoutFile(id=new_id(), kind=kind, currency=currency, lines=len(payouts), amount_minor=total, content=b"",
                      made_by=actor, made_at=at)  # fmt: skip
    file.content = _content(file, payouts, debtor, at)
    db.session.add(file)
    db.session.flush()
    for payout in payouts:
        payout.file_id = file.id
    db.session.flush()
    return file


def hand_on(file_id: UUID, actor: str, at: datetime) -> PayoutFile:
    """Note that a file was given to whoever pays; the same again changes nothing, Conflict once it was given up.

    Results that come of a file say so too, so that nobody gives up what was paid in part.
    """
    file = _locked(file_id)
    if file.cancelled_at is not None:
        raise Conflict("file_ended", "This file was given up: its payouts are payable again.")
    if file.handed_at is None:
        file.handed_by, file.handed_at = actor, at
        for payout in _lines_of(file_id):
            move(payout, "sent", actor, at)
            tell(payout, "payout.sent", at)
    db.session.flush()
    return file


def give_up(file_id: UUID, actor: str, at: datetime) -> PayoutFile:
    """Give up a file that was never handed on, its payouts being payable again; Conflict once it was."""
    file = _locked(file_id)
    if file.handed_at is not None:
        raise Conflict("file_ended", "This file was handed on: take its results in instead.")
    if file.cancelled_at is None:
        file.cancelled_at = at
        for payout in _lines_of(file_id):
            if payout.state == "ordered":
                refuse_by_file(payout, "file_withdrawn", actor, at)
    db.session.flush()
    return file


def content_of_file(file_id: UUID) -> bytes:
    """Return the bytes of a file, the same each time."""
    return bytes(db.session.scalars(select(PayoutFile.content).where(PayoutFile.id == file_id)).one())


def name_of_file(file: PayoutFile) -> str:
    """Return under which name a file is saved."""
    ending = "xml" if file.kind == "sepa" else "csv"
    return f"payouts-{file.kind}-{file.currency.lower()}-{file.made_at:%Y-%m-%d}-{file.id.hex[-8:]}.{ending}"


def _check(kind: str, currency: str, debtor: Debtor | None) -> None:
    faults = []
    if kind not in KINDS:
        faults.append(Fault("kind", "not_allowed_value", f"Choose one of {', '.join(KINDS)}."))
    elif kind == "sepa" and currency != "EUR":
        faults.append(Fault("currency", "currency_not_taken", "Choose EUR: SEPA transfers are in euros."))
    if faults:
        raise Invalid("invalid_payout_file", "No file was made.", faults)
    if kind == "sepa" and debtor is None:
        raise Conflict("no_bank_account", "Say first which account of the exchange pays: leadbourse bank account EUR.")


def _content(file: PayoutFile, payouts: list[Payout], debtor: Debtor | None, at: datetime) -> bytes:
    rails = {one.id: one for one in db.session.scalars(
        select(PayoutRail).where(PayoutRail.id.in_([payout.rail_id for payout in payouts])))}  # fmt: skip
    pairs = [(payout, rails[payout.rail_id]) for payout in payouts if payout.rail_id]
    if file.kind != "sepa":
        payees = [Payee(one.id.hex, rail.holder, rail.destination or "", one.amount_minor) for one, rail in pairs]
        return write_sheet(file.kind, file.currency, payees)
    assert debtor is not None, "checked before"
    transfers = [Credit(one.id.hex, rail.holder, rail.destination or "", rail.bic or "", one.amount_minor,
                        f"Payout {one.id.hex}") for one, rail in pairs]  # fmt: skip
    return write_order(Order(file.id.hex, at, _working_day(at.date()), file.currency, debtor), transfers)


def _working_day(day: date) -> date:
    """Return the day itself, or the Monday after a weekend: banks execute nothing then."""
    return date.fromordinal(day.toordinal() + max(0, 7 - day.weekday() if day.weekday() > 4 else 0))


def _locked(file_id: UUID) -> PayoutFile:
    query = select(PayoutFile).where(PayoutFile.id == file_id).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Conflict("file_ended", "There is no such file.")
    return found


def _lines_of(file_id: UUID) -> list[Payout]:
    return get_all_locked(db.session.scalars(select(Payout.id).where(Payout.file_id == file_id)))
