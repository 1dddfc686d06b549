"""Our balance at the card processor: every movement is kept under its id and booked by one transaction.

The movement decides what is booked, never the event that told of it. What nobody can explain stands in suspense, where
an operator sees it, so that the books always say what the processor says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from billing.funding.chargebacks import find_chargeback, settle_withdrawal, settle_won
from billing.funding.give_backs import find_part
from billing.funding.models import BalanceTransaction, CardBalance
from billing.funding.top_ups import ACTOR, find_payment
from billing.ledger import (
    AT_STRIPE,
    CHARGEBACK_FEES,
    CHARGED_BACK,
    CLEARING,
    GOING_BACK,
    IN_FLIGHT,
    IN_TRANSIT,
    PAYABLE,
    STRIPE_FEES,
    SUSPENSE,
    Line,
    post,
)
from billing.models import Transaction
from billing.payouts.outcomes import has_left, settle_came_back, settle_left
from billing.stripe_gateway import Movement
from core.db import db
from core.money import Money

FROM_THE_BEGINNING = datetime(2011, 1, 1, tzinfo=UTC)
PAYMENTS = ("charge", "payment")
REFUNDS = ("refund", "payment_refund", "refund_failure", "payment_failure_refund")
PAYOUTS = ("payout", "payout_failure", "payout_cancel")
FEES = ("stripe_fee", "network_cost", "tax_fee")
TRANSFERS, REVERSALS = ("transfer",), ("transfer_refund", "transfer_cancel", "transfer_failure")


@dataclass(frozen=True, slots=True)
class Explained:
    """What is known of a movement's source: the payment, refund part, chargeback or payout that it belongs to."""

    payment_id: str | None = None
    part_id: UUID | None = None
    chargeback_id: str | None = None
    payout_id: UUID | None = None

    @property
    def about_id(self) -> str | None:
        """Return the id of whichever it is."""
        ours = self.part_id or self.payout_id
        return self.payment_id or self.chargeback_id or (str(ours) if ours else None)


NOTHING = Explained()


def keep_movements(movements: Sequence[Movement]) -> None:
    """Keep movements under their ids, as they were told first."""
    now = datetime.now(UTC)
    rows = [
        {"id": one.id, "kind": one.kind, "source_id": one.source_id, "currency": one.money.currency,
         "amount_minor": one.money.minor, "fee_minor": one.fee.minor, "net_minor": one.money.minor - one.fee.minor,
         "created_at": one.created_at, "seen_at": now}
        for one in movements
    ]  # fmt: skip
    if rows:
        db.session.execute(insert(BalanceTransaction).on_conflict_do_nothing(), rows)


def unbooked(most: int = 200) -> list[BalanceTransaction]:
    """Return the movements that wait to be booked, the oldest first, and of one second those first that take.

    Those that were looked at in vain come behind the others.
    """
    one = BalanceTransaction
    query = select(one).where(one.booked_as.is_(None))
    return list(db.session.scalars(query.order_by(one.misses, one.created_at, one.amount_minor, one.id).limit(most)))


def book_movement(movement_id: str, known: Explained, at: datetime) -> str:
    """Book a kept movement, once; return as what: the kind of thing it belongs to, or `suspense`.

    `waits`, and nothing done, for money of a chargeback or transfer that came back, while its going is not booked.
    """
    row = db.session.get_one(BalanceTransaction, movement_id, with_for_update=True, populate_existing=True)
    if row.booked_as is not None:
        return row.booked_as
    if row.amount_minor == 0 and row.fee_minor == 0:
        row.booked_as = "nothing"
        return row.booked_as
    if known.chargeback_id is not None and row.amount_minor > 0 and _went_before(row):
        return "waits"
    if known.payout_id is not None and row.kind in REVERSALS and not has_left(known.payout_id):
        return "waits"
    row.booked_as, key, lines = _judge(row, known, at)
    row.about_id = known.about_id
    source = str(known.payout_id) if row.booked_as in ("transfer", "transfer_back") else row.id
    post(row.booked_as, key, row.currency, lines, source=source, actor=ACTOR, at=at, reason=row.kind)
    row.transaction_id = db.session.scalars(select(Transaction.id).where(Transaction.key == key)).one()
    return row.booked_as


def note_balance(told: dict[str, int], ready: dict[str, int]) -> dict[str, int]:
    """Keep what the processor says of our balance, and what of it may be sent on.

    Returns how it differs from the movements that we know (I8).
    """
    sums = select(BalanceTransaction.currency, func.sum(BalanceTransaction.net_minor))
    known = {currency: int(net) for currency, net in db.session.execute(sums.group_by(BalanceTransaction.currency))}
    differences = {one: told.get(one, 0) - known.get(one, 0) for one in sorted({*told, *known})}
    for currency, difference in differences.items():
        row = {"told_minor": told.get(currency, 0), "difference_minor": difference, "seen_at": datetime.now(UTC)}
        row["ready_minor"] = ready.get(currency, 0)
        kept = insert(CardBalance).values(currency=currency, **row)
        db.session.execute(kept.on_conflict_do_update(index_elements=["currency"], set_=row))
    return differences


def _went_before(row: BalanceTransaction) -> bool:
    """Tell whether money of the same source has gone and is not booked yet."""
    one = BalanceTransaction
    query = select(one.id).where(one.booked_as.is_(None), one.source_id == row.source_id, one.amount_minor < 0)
    return db.session.scalar(query.limit(1)) is not None


def _judge(row: BalanceTransaction, known: Explained, at: datetime) -> tuple[str, str, list[Line]]:
    """Return as what a movement is booked, under which key, and its lines."""
    key = f"bt:{row.id}"
    if row.kind in PAYMENTS and _is_ours(row, known):
        return "card_payment", key, _lines(row, CLEARING)
    if row.kind in REFUNDS and find_part(known.part_id, row.currency):
        return "card_refund", key, _lines(row, GOING_BACK)
    if row.kind in PAYOUTS:
        return "card_payout", key, _lines(row, IN_TRANSIT)
    if row.kind in FEES:
        return "card_fee", key, _lines(row, STRIPE_FEES)
    if known.payout_id is not None and (judged := _judge_payout(row, known.payout_id, at)):
        return judged
    chargeback = find_chargeback(known.chargeback_id, Money(abs(row.amount_minor), row.currency))
    if chargeback is not None and row.amount_minor < 0 and chargeback.state == "announced":
        wallet = settle_withdrawal(chargeback)
        return "chargeback_withdrawn", f"chargeback:{chargeback.id}:withdrawn", [*_charged_back(row), *wallet]
    if chargeback is not None and row.amount_minor > 0 and chargeback.state == "withdrawn":
        wallet = settle_won(chargeback)
        return "chargeback_won", f"chargeback:{chargeback.id}:won", [*_charged_back(row), *wallet]
    return "suspense", key, _lines(row, SUSPENSE)


def _judge_payout(row: BalanceTransaction, payout_id: UUID, at: datetime) -> tuple[str, str, list[Line]] | None:
    """Return as what a transfer or its reversal is booked; None when it is not what the payout says."""
    money = Money(abs(row.amount_minor), row.currency)
    if row.kind in TRANSFERS and row.amount_minor < 0 and row.source_id:
        payout = settle_left(payout_id, row.source_id, money, at)
        return ("transfer", f"tr:{row.source_id}", _lines(row, IN_FLIGHT, payout.account_id)) if payout else None
    if row.kind in REVERSALS and row.amount_minor > 0:
        payout = settle_came_back(payout_id, money, at)
        return ("transfer_back", f"bt:{row.id}", _lines(row, PAYABLE, payout.account_id)) if payout else None
    return None


def _is_ours(row: BalanceTransaction, known: Explained) -> bool:
    """Tell whether a movement is a payment that was booked, in the currency in which it was booked."""
    top_up = find_payment(known.payment_id)
    return top_up is not None and top_up.currency == row.currency and top_up.state in ("paid", "set_aside")


def _lines(row: BalanceTransaction, counter: int, owner_id: UUID | None = None) -> list[Line]:
    return [
        Line(AT_STRIPE, row.net_minor), Line(STRIPE_FEES, row.fee_minor), Line(counter, -row.amount_minor, owner_id)
    ]  # fmt: skip


def _charged_back(row: BalanceTransaction) -> list[Line]:
    return [
        Line(AT_STRIPE, row.net_minor), Line(CHARGEBACK_FEES, row.fee_minor), Line(CHARGED_BACK, -row.amount_minor)
    ]  # fmt: skip
