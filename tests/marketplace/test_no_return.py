"""Orders that give up the right of return: cheaper, told to publishers, and only fraud can be disputed."""

import pytest
from flask import Flask

from marketplace.catalog.dispute_rules import dispute_rules
from tests.deals import make_deal
from tests.factories import Market
from tests.marketplace.test_buyer_orders import only_order, send
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

FRAUD = [name for name, rule in dispute_rules().reasons.items() if rule.without_return]


def test_the_reasons_that_remain_are_fraud() -> None:
    assert sorted(FRAUD) == ["bot", "hired", "no_consent"]


@pytest.mark.parametrize("reason", ["mistyped", "duplicate", "prank", "out_of_criteria", "competitor"])
def test_what_is_no_fraud_cannot_be_disputed(market: Market, reason: str) -> None:
    deal = make_deal(market, returns=False)
    refused = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": reason, "note": "x"})
    assert (refused.status_code, refused.json["code"]) == (409, "no_return_right")
    assert "it may claim bot, hired, no_consent" in refused.json["detail"]
    assert deal.state() == "delivered"


@pytest.mark.parametrize("reason", FRAUD)
def test_fraud_can_be_disputed_all_the_same(market: Market, reason: str) -> None:
    assert make_deal(market, returns=False).dispute(reason)["state"] == "open"


def test_the_right_that_counts_is_that_of_the_version_that_bought(market: Market) -> None:
    deal = make_deal(market)
    order = only_order(deal.buyer)
    deal.buyer.request("PATCH", f"/orders/{order['id']}", {"returns": False})
    assert deal.dispute("mistyped")["state"] == "open"


def test_an_order_without_the_right_may_bid_less(market: Market) -> None:
    buyer = market.make_buyer()
    body = {"name": "x", "vertical": "education", "returns": False}
    for amount, status in (("3.56", 422), ("3.57", 201)):  # 85 % of 4.20
        answer = buyer.request("POST", "/orders", body | {"price": {"amount": amount, "currency": "EUR"}})
        assert answer.status_code == status, answer.text
    cheap = only_order(buyer)
    answer = buyer.request("PATCH", f"/orders/{cheap['id']}", {"returns": True})
    assert [(each["field"], each["code"]) for each in answer.json["errors"]] == [
        ("price.amount", "below_minimum_price")
    ]


def test_publishers_see_whether_a_sale_may_come_back(market: Market, app: Flask) -> None:
    for returns in (True, False):
        deal = make_deal(market, market.lead(contact={"email": f"{returns}@example.com"}), returns=returns)
        [lead] = deal.publisher.get("/leads")["items"]
        assert list(lead["returnable"].values()) == [returns]
        assert deal.publisher.get(f"/leads/{lead['id']}")["returnable"] == lead["returnable"]
        page = words_of(visitor_of(market, deal.publisher).open(f"/publisher/leads/{lead['id']}"))
        assert "May come back" in page and ("only for fraud" in page) is not returns


def test_the_editor_asks_for_the_right(market: Market) -> None:
    buyer = market.make_buyer()
    visitor = visitor_of(market, buyer)
    assert send(visitor, "/buyer/orders/new?vertical=education", name="x", price="20").status_code == 302
    assert only_order(buyer)["returns"] is True
    path = f"/buyer/orders/{only_order(buyer)['id']}"
    assert send(visitor, path, returns="").status_code == 302 and only_order(buyer)["returns"] is False
