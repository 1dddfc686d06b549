"""What tests of saved cards share: a buyer with a card and a wallet that tops itself up with it."""

from typing import Any
from uuid import UUID

from billing.funding.due import run_cards
from core.ids import parse_id
from tests.billing.funding.conftest import GOOD, Till, make_due, sql

LATER = "4000000000000341"  # can be saved, is declined later
PROVES = "4000002760003184"  # asks for authentication every time


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def open_card_page(till: Till) -> Any:
    return till.buyer.post("/wallet/card-pages", {"currency": "EUR"})


def save_card(till: Till, number: str = GOOD) -> Any:
    """Save a card on its page, whole way, and return it as the API shows it."""
    url = open_card_page(till)["page_url"]
    if till.pay(url, number) == 200:
        assert till.approve(url) == 303
    till.look()
    return till.buyer.get("/wallet/cards")["items"][0]


def switch_on(till: Till, status: int = 200, **terms: Any) -> Any:
    """Have the wallet fill itself up to 300.00 below 100.00, at most 900.00 a day, unless told otherwise."""
    wish = {"on": True, "threshold": euros("100.00"), "target": euros("300.00"), "daily_limit": euros("900.00")}
    body = {name: value for name, value in (wish | terms).items() if value is not None}
    answer = till.buyer.request("PUT", "/wallet/recharges/EUR", body)
    assert answer.status_code == status, answer.text
    return answer.json


def work(till: Till) -> None:
    """Do what a round of the cards does, twice, with what waits due."""
    for _ in range(2):
        make_due()
        run_cards(till.clock.now(), fetches=True)


def codes(till: Till) -> list[str]:
    """Return what became of it, the oldest first."""
    items = till.buyer.get("/wallet/recharges/EUR/log")["items"]
    return [item["code"] for item in reversed(items)]


def charges() -> list[tuple[str, int]]:
    query = "SELECT state, amount_minor FROM billing.top_ups WHERE card_id IS NOT NULL ORDER BY opened_at, id"
    return [(row.state, row.amount_minor) for row in sql(query)]


def buy(till: Till, price: str) -> None:
    """Have the buyer buy one lead."""
    till.market.make_order(till.buyer, price)
    till.market.make_publisher().request("POST", "/leads", till.market.lead())


def owner(till: Till) -> UUID:
    return parse_id("acc", till.buyer.id)
