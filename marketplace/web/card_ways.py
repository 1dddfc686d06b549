"""Where the card processor's page leads back to: the wallet, and the top-up's own page."""

from flask import url_for

from billing import Ways
from core.http import settings


def ways_back() -> Ways:
    """Return the addresses after paying and after leaving, on the site's own address, whatever a request says of it."""
    base = settings().address
    return Ways(
        paid=f"{base}{url_for('buyer.paid')}?session={{CHECKOUT_SESSION_ID}}", left=base + url_for("buyer.wallet")
    )
