"""What a person or program does with card money: open a payment page, send unused money back.

Each writes its wish down in one transaction, asks the processor without one, and reads what came of it in another.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.funding.calls import carry_out
from billing.funding.give_backs import order_give_back
from billing.funding.models import TopUp
from billing.funding.reading import verbs_of
from billing.funding.recharge.choosing import switch_off_for_refund
from billing.funding.recharge.payer import lock_payer
from billing.funding.top_ups import Payer, Ways, get_top_up, order_top_up
from billing.funding.waking import wake_cards
from billing.stripe_gateway import gateway
from core.db import db, transaction
from core.errors import Conflict, Unavailable
from core.failpoints import failpoint
from core.http import settings
from core.money import Money


def start_top_up(payer: Payer, money: Money, ways: Ways, at: datetime, *, saves_card: bool = False) -> TopUp:
    """Open a payment page for a top-up and return it, its `checkout_url` set.

    Unavailable while the processor cannot be asked (the page is opened later, for nobody), Conflict when it refuses or
    none is set up, and what `order_top_up` raises. Opens its own transactions.
    """
    demand_cards()
    with transaction():
        top_up_id, call_id = order_top_up(payer, money, ways, at, saves_card=saves_card)
    failpoint("top_up.ordered")
    carry_out(call_id, verbs_of(gateway()))
    with transaction():
        top_up = get_top_up(payer.account_id, top_up_id)
        db.session.expunge(top_up)  # it is read after this transaction
    if top_up.state == "opening":
        raise Unavailable("cards_away", "Card payments are away for the moment. Nothing was charged; try again.")
    if top_up.state == "refused":
        raise Conflict("top_up_refused", f"The card processor refused: {top_up.why}")
    return top_up


@dataclass(frozen=True, slots=True)
class GiveBackOrdered:
    """An order to send money back, and whether that switched the wallet's automatic top-up off."""

    id: UUID
    switched_off: bool


def start_give_back(account_id: UUID, money: Money, actor: str, at: datetime) -> GiveBackOrdered:
    """Order unused money back to the cards that paid it, in the session's transaction; the worker sends it.

    The wallet's automatic top-up is switched off by it. Conflict when no processor is set up, and what
    `order_give_back` raises.
    """
    demand_cards()
    lock_payer(account_id)  # before the wallet's lock; and that before the settings', as where a payment is booked
    order_id, _ = order_give_back(account_id, money, actor, at)
    switched_off = switch_off_for_refund(account_id, money.currency, actor, at)
    wake_cards()
    return GiveBackOrdered(order_id, switched_off)


def demand_cards() -> None:
    """Conflict `no_cards` where no processor is set up."""
    if not settings().takes_cards:
        raise Conflict("no_cards", "This exchange takes no cards yet. Ask its operator how to pay.")
