"""What somebody who is paid does at the card processor: goes there to say who he is, and comes back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.funding.calls import carry_out
from billing.funding.models import CardCall
from billing.funding.paying import demand_cards
from billing.funding.reading import verbs_of
from billing.funding.telling import tell_account
from billing.payouts.models import PayoutRail
from billing.payouts.rails import get_rail
from billing.stripe_gateway import Refused, Undecided, gateway
from core.db import db, transaction
from core.errors import Conflict, Unavailable

AWAY = "The payment processor is away for the moment. Nothing was lost; try again."


def onboarding_address(account_id: UUID, back: str, again: str) -> str:
    """Return the address at which an earner says who he is, good for some minutes and one visit.

    Opens the account first where it is not open. Unavailable while the processor is away, Conflict `no_connect_rail`
    for who is paid elsewhere, `account_refused` where the processor opens none. Opens its own transactions.
    """
    demand_cards()
    try:
        destination = _opened(account_id)
        return gateway().connect.onboarding(destination, back, again)
    except Undecided as unknown:
        raise Unavailable("cards_away", AWAY) from unknown
    except Refused as refused:
        raise Conflict("account_refused", f"The payment processor refused: {refused.says}") from refused


def look_at_rail(account_id: UUID, at: datetime) -> None:
    """Read again the account at the processor at which an earner is paid; while it is away the clock does."""
    demand_cards()
    with transaction():
        rail = get_rail(account_id)
        destination = rail.destination if rail.kind == "connect" else None
    if destination is not None:
        try:
            tell_account(gateway(), destination, at)
        except (Undecided, Refused):  # it stands where it stood, and the clock looks again
            return


def _opened(account_id: UUID) -> str:
    """Return an earner's account at the processor, its opening carried out when it is due."""
    with transaction():
        rail_id, kind = (rail := get_rail(account_id)).id, rail.kind
        call_id = db.session.scalar(select(CardCall.id).where(CardCall.subject_id == rail_id))
    if kind != "connect":
        raise Conflict("no_connect_rail", "You are paid elsewhere. Choose the payment processor first.")
    if call_id is not None:
        carry_out(call_id, verbs_of(gateway()))
    with transaction():
        rail = db.session.get_one(PayoutRail, rail_id, populate_existing=True)
        state, destination, says = rail.state, rail.destination, rail.says
    if destination is None and state == "opening":
        raise Unavailable("cards_away", AWAY)
    if destination is None or state in ("closed", "blocked"):
        raise Conflict("account_refused", f"The payment processor opens no account: {says or state}")
    return destination
