"""What stands open longer than its news should take is read again once an hour: an event may be lost for ever."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, literal, select, union_all

from billing.funding.looks import is_deep, note_look
from billing.funding.models import CardCall, Chargeback, GiveBackPart, TopUp
from billing.funding.recharge.models import CardPage
from billing.funding.rows import MOST_MISSES
from billing.funding.telling import tell
from billing.stripe_gateway import Gateway, Undecided
from core.db import db, transaction

LONG = timedelta(hours=25)  # a payment page lives a day


def recheck_open(gateway: Gateway, at: datetime, most: int = 500) -> int:
    """Read open chargebacks, payment pages past their day and refunds on their way again; return how many."""
    began = datetime.now(UTC)
    with transaction():
        if not is_deep("open", began):
            return 0
        waiting = [(row.about, row.id) for row in db.session.execute(_open(at, most))]
        note_look("open", began)
    missed = 0
    for about, object_id in waiting:
        try:
            tell(gateway, about, object_id, at)
        except Undecided:  # the next hour reads it again
            missed += 1
            if missed == MOST_MISSES:
                raise
    return len(waiting) - missed


def _open(at: datetime, most: int) -> Select[tuple[str, str]]:
    chargebacks = select(literal("chargeback").label("about"), Chargeback.id, Chargeback.opened_at.label("since"))
    pages = select(literal("checkout"), TopUp.session_id, TopUp.opened_at)
    refunds = select(literal("refund"), GiveBackPart.refund_id, literal(at))
    card_pages = select(literal("checkout"), CardPage.session_id, CardPage.opened_at)
    charges = select(literal("payment"), CardCall.object_id, TopUp.opened_at).join(
        TopUp, TopUp.id == CardCall.subject_id
    )
    both = union_all(
        chargebacks.where(Chargeback.ended_at.is_(None)),
        pages.where(TopUp.state == "open", TopUp.opened_at < at - LONG),
        refunds.where(GiveBackPart.state == "in_flight", GiveBackPart.refund_id.is_not(None)),
        card_pages.where(CardPage.state == "open", CardPage.opened_at < at - LONG),
        charges.where(CardCall.verb == "charge_card", CardCall.state == "done", TopUp.state == "opening"),
    ).subquery()
    return select(both.c.about, both.c.id).order_by(both.c.since).limit(most)
