"""What a person or program does to save a card: a page is opened on which the processor takes it."""

from datetime import datetime
from uuid import UUID

from billing.funding.calls import carry_out
from billing.funding.paying import demand_cards
from billing.funding.reading import verbs_of
from billing.funding.recharge.cards import get_card_page, order_card_page
from billing.funding.recharge.models import CardPage
from billing.funding.top_ups import Ways
from billing.stripe_gateway import gateway
from core.db import db, transaction
from core.errors import Conflict, Unavailable
from core.failpoints import failpoint


def start_card_page(account_id: UUID, currency: str, ways: Ways, actor: str, at: datetime) -> CardPage:
    """Open a page on which a card is saved and return it, its `page_url` set; nothing is charged there.

    Unavailable while the processor cannot be asked, Conflict when it refuses or none is set up. Opens its own
    transactions.
    """
    demand_cards()
    with transaction():
        page_id, call_id = order_card_page(account_id, ways, currency, actor, at)
    failpoint("card_page.ordered")
    carry_out(call_id, verbs_of(gateway()))
    with transaction():
        page = get_card_page(account_id, page_id)
        db.session.expunge(page)  # it is read after this transaction
    if page.state == "opening":
        raise Unavailable("cards_away", "Cards cannot be saved for the moment. Try again.")
    if page.state == "refused":
        raise Conflict("card_page_refused", f"The card processor refused: {page.why}")
    return page
