"""Who gets a lead that its first buyer refused: deals first, laddered orders at their present price, by the rules too."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.clock import as_rfc3339
from core.outbound import Outbound
from marketplace.leads.delivery.courier import deliver_due
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_distributed import change

NO = b'{"accepted": false, "reason": "known customer"}'


def allow_private_targets(app: Flask) -> None:
    """Let leads be delivered to endpoints of this machine."""
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


@pytest.fixture
def publisher(app: Flask, market: Market) -> Member:
    allow_private_targets(app)
    return market.make_publisher()


def bought(buyer: Member) -> list[tuple[str, str]]:
    return [(sale["state"], sale["price"]["amount"]) for sale in buyer.get("/sales")["items"]]


def refused_by_the_first(market: Market, publisher: Member, then: Any) -> None:
    """Sell a lead for 30.00, do something, and let the buyer refuse it."""
    with open_endpoint(answer=NO) as picky:
        market.make_order(market.make_buyer(), "30.00", delivery={"kind": "webhook", "url": picky.url})
        assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "30.00"
        then()
        deliver_due(START)


def test_a_deal_that_was_made_meanwhile_comes_before_the_market(market: Market, publisher: Member) -> None:
    asker, dearer = market.make_buyer(), market.make_buyer()

    def agree() -> None:
        market.make_order(dearer, "20.00")
        order = {"name": "for us", "vertical": "education", "price": {"amount": "12.00", "currency": "EUR"}}
        until = as_rfc3339(START + timedelta(days=3))
        brief = asker.post("/briefs", {"order": order, "volume": 1, "ends_at": until})
        publisher.post(f"/briefs/{brief['id']}/accept")

    refused_by_the_first(market, publisher, agree)
    assert (bought(asker), bought(dearer)) == ([("delivered", "12.00")], [])


def test_a_laddered_order_pays_what_it_has_come_to(market: Market, publisher: Member) -> None:
    laddered, plain = market.make_buyer(), market.make_buyer()
    steps = [{"from": 2, "price": {"amount": "9.00", "currency": "EUR"}}]

    def place() -> None:
        market.make_order(laddered, "25.00", ladder={"period": "total", "steps": steps})
        publisher.post("/leads", market.lead())  # which the order of 30.00 takes as well

    refused_by_the_first(market, publisher, place)
    assert sorted(bought(laddered)) == [("delivered", "25.00"), ("delivered", "9.00")]
    market.make_order(plain, "10.00")
    assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "30.00"


def test_a_vertical_that_never_shares_offers_it_to_exclusive_orders_only(market: Market, publisher: Member) -> None:
    sharing, alone = market.make_buyer(), market.make_buyer()

    def place() -> None:
        market.make_order(sharing, "25.00", exclusivity="shared")
        market.make_order(alone, "20.00")
        rules = {"rule": "best_price", "contest": "exclusive", "fall_back": False}
        assert change(market.make_operator(), market, distribution=rules).status_code == 200

    refused_by_the_first(market, publisher, place)
    assert (bought(sharing), bought(alone)) == ([], [("delivered", "20.00")])
