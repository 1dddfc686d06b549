"""In which currency a page about card money is read: that of the address, or the pages' own."""

from typing import Any

from flask import request

from billing import demand_currency
from marketplace.web.chrome import CURRENCY


def asked_currency() -> str:
    """Return the wallet's currency that the address names; NotFound for one in which nobody pays by card."""
    currency = request.args.get("currency", CURRENCY)
    demand_currency(currency)
    return currency


def named(currency: str) -> dict[str, Any]:
    """Return what an address says of a currency: nothing of the pages' own."""
    return {} if currency == CURRENCY else {"currency": currency}
