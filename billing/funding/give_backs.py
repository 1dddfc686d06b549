"""Giving back: unused money goes back to the cards that it came from, no more to each than came from it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select

from billing.documents.issuing import Paid, issue_credit_note, issue_return_receipt
from billing.funding.calls import write_call
from billing.funding.models import Chargeback, GiveBack, GiveBackPart, TopUp
from billing.ledger import AVAILABLE, GOING_BACK, Line, post
from billing.models import Wallet
from billing.stripe_gateway import SentBack
from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.ids import new_id
from core.money import Money

ACTOR = "system:cards"


def order_give_back(account_id: UUID, money: Money, actor: str, at: datetime) -> tuple[UUID, list[UUID]]:
    """Take unused money out of the wallet, and write the calls that send it to the cards; return its id and theirs.

    The newest payments first, since old cards expire; none that its card's owner took back. Invalid with the field for
    an amount that is not above zero, or above what came by card and was not sent back; Conflict `funds` when the wallet
    lacks it, or needs it for chargebacks, and `wallet_suspended` when it is closed: nothing has moved then.
    """
    sources = _sources(account_id, money.currency)
    most = Money(sum(left for _, left in sources), money.currency)
    if not 0 < money.minor <= most.minor:
        says = f"Ask for more than 0 and at most {most} {most.currency}, which is what came by card."
        raise Invalid(
            "invalid_refund", "This cannot be given back.", [Fault("amount.amount", "amount_out_of_range", says)]
        )
    _demand_free(account_id, money)
    order = GiveBack(id=new_id(), account_id=account_id, currency=money.currency, amount_minor=money.minor,
                     actor=actor, ordered_at=at)  # fmt: skip
    lines = [Line(AVAILABLE, money.minor, account_id), Line(GOING_BACK, -money.minor)]
    posted = post("give_back", f"refund:{order.id}", money.currency, lines, source=str(order.id), actor=actor, at=at)
    if not posted.is_booked:
        raise Conflict("funds", "The wallet has less available than that.")
    db.session.add(order)
    db.session.flush()
    parts = _write_parts(order, sources)
    issue_credit_note(account_id, money, f"refund:{order.id}", order.id, Paid("card"),
                      [(part.top_up_id, part.amount_minor) for part, _ in parts], at)  # fmt: skip
    return order.id, [call_id for _, call_id in parts]


def _demand_free(account_id: UUID, money: Money) -> None:
    """Refuse to send back what is not there, what chargebacks may still take, or what is owed; locks the wallets.

    Who owes in one currency does not take money out in another.
    """
    mine = select(Wallet).where(Wallet.account_id == account_id).order_by(Wallet.currency).with_for_update()
    wallets = {one.currency: one for one in db.session.scalars(mine.execution_options(populate_existing=True))}
    if any(one.suspended_at is not None for one in wallets.values()):
        raise Conflict("wallet_suspended", "A wallet of this account is suspended. Ask the exchange's operator.")
    if any(one.currency != money.currency and _may_owe(one) for one in wallets.values()):
        raise Conflict("owes_elsewhere", "This account owes in another currency, or has a chargeback. Pay that first.")
    wallet = wallets.get(money.currency)
    is_short = wallet is None or wallet.available - _may_owe(wallet) < money.minor
    if is_short:
        raise Conflict(
            "funds", "The wallet has less available than that, after what its chargebacks may take and what it owes."
        )


def _may_owe(wallet: Wallet) -> int:
    return wallet.drawn + wallet.owed + wallet.at_stake


def _sources(account_id: UUID, currency: str) -> list[tuple[TopUp, int]]:
    """Return the payments of a wallet with what may still go back of each, the newest first, and lock them."""
    went = func.coalesce(
        select(func.sum(GiveBackPart.amount_minor))
        .where(GiveBackPart.top_up_id == TopUp.id, GiveBackPart.state != "failed")
        .scalar_subquery(), 0,
    )  # fmt: skip
    charged_back = select(Chargeback.id).where(Chargeback.top_up_id == TopUp.id, Chargeback.state != "won")
    mine = (TopUp.account_id == account_id, TopUp.currency == currency, TopUp.state == "paid", ~charged_back.exists())
    # Locked before they are summed: whoever waited here counts what went meanwhile.
    db.session.execute(select(TopUp.id).where(*mine).order_by(TopUp.id).with_for_update())
    query = select(TopUp, TopUp.amount_minor - went).where(*mine).order_by(TopUp.opened_at.desc(), TopUp.id)
    return [(top_up, int(left)) for top_up, left in db.session.execute(query) if left > 0]


def _write_parts(order: GiveBack, sources: list[tuple[TopUp, int]]) -> list[tuple[GiveBackPart, UUID]]:
    calls, missing = [], order.amount_minor
    for top_up, left in sources:
        if missing == 0:
            break
        minor = min(left, missing)
        missing -= minor
        part = GiveBackPart(id=new_id(), give_back_id=order.id, top_up_id=top_up.id, amount_minor=minor)
        db.session.add(part)
        db.session.flush()
        calls.append((part, write_call("send_back", part.id, _payload(top_up, part))))
    return calls


def _payload(top_up: TopUp, part: GiveBackPart) -> dict[str, Any]:
    named = {"leadbourse": str(part.id)}
    return {"payment_intent": top_up.payment_id, "amount": part.amount_minor, "metadata": named}


def record_sent_back(part_id: UUID, sent: SentBack | None, why: str | None, at: datetime) -> None:
    """Note what became of a part: on its way, arrived, or refused, and then the money is back in the wallet."""
    part = db.session.get_one(GiveBackPart, part_id, with_for_update=True, populate_existing=True)
    if sent is None:
        _fail(part, why or "refused", at)
        return
    part.refund_id = sent.id
    if sent.state == "failed":
        _fail(part, sent.why or "failed", at)
    elif sent.state == "sent" and part.state == "in_flight":
        part.state, part.ended_at = "sent", at
    db.session.flush()


def settle_sent_back(sent: SentBack, at: datetime) -> str:
    """Note how a refund of ours stands now; a bank may refuse one weeks after it was sent."""
    part_id = reference_of(sent)
    if part_id is None or db.session.get(GiveBackPart, part_id) is None:
        return "unknown"
    record_sent_back(part_id, sent, None, at)
    return sent.state


def reference_of(sent: SentBack) -> UUID | None:
    """Return the part that a refund names; None for one that is not ours."""
    try:
        return UUID(sent.reference or "")
    except ValueError:
        return None


def find_part(part_id: UUID | None, currency: str) -> GiveBackPart | None:
    """Return a part that goes back in a currency."""
    if part_id is None:
        return None
    query = select(GiveBackPart).join(GiveBack).where(GiveBackPart.id == part_id, GiveBack.currency == currency)
    return db.session.scalar(query)


def payment_of_part(part_id: UUID) -> str | None:
    """Return the payment of which a part goes back."""
    query = select(TopUp.payment_id).join(GiveBackPart, GiveBackPart.top_up_id == TopUp.id)
    return db.session.scalar(query.where(GiveBackPart.id == part_id))


def give_backs_of(account_id: UUID) -> list[tuple[GiveBack, int, int]]:
    """Return an account's orders, the newest first, each with what was sent and what came back, in minor units."""
    sums = [
        func.coalesce(func.sum(case((GiveBackPart.state == state, GiveBackPart.amount_minor), else_=0)), 0)
        for state in ("sent", "failed")
    ]
    query = select(GiveBack, *sums).join(GiveBackPart, GiveBackPart.give_back_id == GiveBack.id)
    query = query.where(GiveBack.account_id == account_id).group_by(GiveBack.id)
    rows = db.session.execute(query.order_by(GiveBack.ordered_at.desc(), GiveBack.id))
    return [(order, int(sent), int(failed)) for order, sent, failed in rows]


def _fail(part: GiveBackPart, why: str, at: datetime) -> None:
    """Put a part's money back into the wallet that it came from, once."""
    if part.state == "failed":
        return
    order = db.session.get_one(GiveBack, part.give_back_id)
    lines = [Line(GOING_BACK, part.amount_minor), Line(AVAILABLE, -part.amount_minor, order.account_id)]
    key, money = f"refund:{order.id}:{part.id}:failed", Money(part.amount_minor, order.currency)
    post("give_back_failed", key, order.currency, lines, source=str(order.id), actor=ACTOR, at=at)
    part.state, part.why, part.ended_at = "failed", why[:500], at
    issue_return_receipt(order.account_id, money, key, part.id, Paid("returned"), order.id, at)
