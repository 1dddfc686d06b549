"""Where the card processor's pages lead back to: the wallet, the top-up's own page, the saved cards."""

from flask import url_for

from billing import Ways
from core.http import settings


def ways_back() -> Ways:
    """Return the addresses after paying and after leaving, on the site's own address, whatever a request says of it."""
    base = settings().address
    return Ways(
        paid=f"{base}{url_for('buyer.paid')}?session={{CHECKOUT_SESSION_ID}}", left=base + url_for("buyer.wallet")
    )


def ways_to_cards() -> Ways:
    """Return the addresses after saving a card and after leaving: the page of the saved cards."""
    cards = settings().address + url_for("buyer.cards")
    return Ways(paid=f"{cards}?saved=1", left=cards)
