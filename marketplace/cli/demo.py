"""The demonstration: the whole exchange, served, with sample accounts and standing orders to try."""

import os
import sys

import click

from core.clock import as_rfc3339
from core.db import transaction
from core.http import business_clock
from core.identity import account_named, make_key
from core.ids import show_id
from core.schemas import convert
from marketplace.catalog.shelf import ship_verticals
from marketplace.cli.accounts import credit_by_hand, make_account
from marketplace.cli.processes import serve_everything
from marketplace.cli.running import read_settings, running_app
from marketplace.orders.standing import orders_of, place_order
from marketplace.orders.terms import OrderBody

PASSWORD = "leadbourse-demo"  # a demonstration's, printed on purpose
PEOPLE = (
    ("publisher", "Studiekiezer", "publisher@example.com"),
    ("buyer", "École Ada", "buyer@example.com"),
    ("buyer", "Hogeschool Zuid", "second-buyer@example.com"),
    ("operator", "Leadbourse", "operator@example.com"),
)
ORDERS = (
    ("École Ada", {"name": "Paris students", "regions": ["FR-IDF"], "price": {"amount": "22.00", "currency": "EUR"},
                   "exclusivity": "shared", "max_share": 3, "caps": {"day": 40}}),
    ("Hogeschool Zuid", {"name": "France", "regions": ["FR"], "price": {"amount": "20.00", "currency": "EUR"},
                         "exclusivity": "shared", "max_share": 3, "caps": {"day": 20}}),
)  # fmt: skip


@click.command()
def demo() -> None:
    """Serve the exchange with sample accounts, orders and funds; goes on until Ctrl-C."""
    settings = read_settings()
    with running_app(settings):
        with transaction():
            ship_verticals(business_clock().now())
        keys = {name: _account(kind, name, email) for kind, name, email in PEOPLE}
        for buyer, terms in ORDERS:
            _order(buyer, terms)
    address = f"http://{settings.host}:{settings.port}"
    click.echo(
        f"Leadbourse is starting at {address}; Ctrl-C ends it. Sign in at {address}/login with the password "
        f"{PASSWORD}; the API keys are for programs:\n"
    )
    for kind, name, email in PEOPLE:
        click.echo(f"  {kind:9} {name:16} {email:27} {keys[name]}")
    click.echo(f"\nPost a lead:\n  curl -H 'Authorization: Bearer {keys['Studiekiezer']}' {address}/api/v1/verticals/"
               "education\n  shows an example body for POST /api/v1/leads.\n")  # fmt: skip
    os.environ.setdefault("LEADBOURSE_SHOW_DESIGN", "1")
    sys.exit(serve_everything(settings))


def _account(kind: str, name: str, email: str) -> str:
    """Return a new API key of the sample account, opened and funded when it is not there yet."""
    found = account_named(name)
    if found is None:
        made = make_account(kind, name, email, PASSWORD)
        if kind == "buyer":
            credit_by_hand(made["account_id"], "2000.00", "EUR", "demonstration funds")
        return made["api_key"]
    with transaction():
        now = business_clock().now()
        _, secret = make_key(found, f"demo {as_rfc3339(now)} {show_id('acc', found.id)}", now)
    return secret


def _order(buyer: str, terms: dict[str, object]) -> None:
    with transaction():
        account = account_named(buyer)
        if account is not None and not orders_of(account.id, None, 1):
            body = convert({"vertical": "education", "delivery": {"kind": "none"}, **terms}, OrderBody)
            place_order(account.id, body, "system:demo", business_clock().now())
