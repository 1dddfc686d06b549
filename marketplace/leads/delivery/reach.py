"""What an order needs beside its terms to reach its buyer: secrets, which are sealed, and addresses that are asked."""

from collections.abc import Mapping
from typing import Any

from core.crypto import Vault
from marketplace.leads.delivery.files.credentials import keep_credential
from marketplace.leads.delivery.mail.addresses import ask_new
from marketplace.leads.delivery.offered import keep_secret
from marketplace.leads.delivery.settings import addresses_of, delivery_of
from marketplace.orders.models import Order


def ask_again(order: Order) -> None:
    """Ask those addresses of an order that buys again which were deleted while it was paused."""
    if order.status == "active":
        ask_new(order.buyer_id, addresses_of((order.terms.get("delivery") or {}).get("to")))


def keep_reach(order: Order, document: Mapping[str, Any] | None, vault: Vault) -> str | None:
    """Seal what a delivery brings in secret, ask its new addresses to confirm, and return its webhook's secret.

    Invalid when nothing is known that signs in on the server of its files.
    """
    if document is not None:
        ask_new(order.buyer_id, addresses_of(getattr(delivery_of(document), "to", None)))
    keep_credential(order.id, document, vault)
    return keep_secret(order.id, document, vault)
