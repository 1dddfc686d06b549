"""How a kept lead stands when its sale, source, publisher, buyer or endpoint changes: sold for good, asked again, or waiting."""

from datetime import timedelta

import pytest
from flask import Flask

from core.db import db, transaction
from marketplace.leads.delivery.courier import deliver_due
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.aged import proved, resalable
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_again import UP_TO_90_DAYS, bought, offer, standing
from tests.marketplace.test_buyer_limits import limit
from tests.marketplace.test_next_by_rules import NO, allow_private_targets
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("9000.00")


def test_a_lead_that_is_sold_for_good_is_not_told_as_offered_any_more(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead())
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert standing(publisher, lead) == ("ended", "sold")
    page = words_of(visitor_of(market, publisher).open(f"/publisher/leads/{lead['id']}"))
    assert "Not any more" in page and "Offer it no more" not in page


def test_a_publisher_who_asks_less_for_aged_leads_has_them_offered(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    publisher.post("/leads", market.lead(min_price={"amount": "18.00", "currency": "EUR"}))
    clock.advance(days=1)
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert bought(buyer) == []
    rule = {"source": "default", "vertical": "education", "aged_min_price": {"amount": "2.00", "currency": "EUR"}}
    publisher.request("PUT", "/source-rules", rule)
    offer(clock)
    assert bought(buyer) == ["10.00"]


def test_a_paused_publisher_sells_nothing_and_a_suspended_wallet_buys_nothing_until_it_may(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    operator, lead = market.make_operator(), publisher.post("/leads", market.lead())
    operator.request("PATCH", f"/publishers/{publisher.id}", {"standing": "paused"})
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert (bought(buyer), standing(publisher, lead)) == ([], ("open", "publisher_paused"))
    operator.request("PATCH", f"/publishers/{publisher.id}", {"standing": "active"})
    standing_of = {"currency": "EUR", "standing": "suspended", "note": "A test."}
    operator.post(f"/buyers/{buyer.id}/wallet-standing", standing_of)
    clock.advance(days=1)
    offer(clock)
    assert bought(buyer) == []
    operator.post(f"/buyers/{buyer.id}/wallet-standing", standing_of | {"standing": "active"})
    offer(clock)
    assert bought(buyer) == ["10.00"]
    proved(app, lead)


def test_a_further_offer_that_is_refused_counts_for_nobody_and_goes_on_to_the_next(
    app: Flask, market: Market, clock: SetClock
) -> None:
    allow_private_targets(app)
    publisher, picky, next_one = market.make_publisher(), market.make_buyer(), market.make_buyer()
    lead = publisher.post("/leads", market.lead(**resalable(market)))
    market.make_order(next_one, "45.00")  # who buys leads as they come gets none that is old
    with open_endpoint(answer=NO) as endpoint:
        delivery = {"kind": "webhook", "url": endpoint.url}
        market.make_order(picky, "30.00", age=UP_TO_90_DAYS, delivery=delivery)
        limit(picky, caps={"day": 1})
        clock.advance(days=1)
        offer(clock)
        assert [sale["state"] for sale in picky.get("/sales")["items"]] == ["held"]
        deliver_due(clock.now())
    assert picky.get("/buyer-limits")["used"]["day"]["leads"] == 0
    assert bought(next_one) == []
    market.make_order(next_one, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert bought(next_one) == ["10.00"]
    proved(app, lead)


def test_an_endpoint_that_rests_no_longer_lets_its_orders_look_again(
    app: Flask, market: Market, buyer: Member, clock: SetClock
) -> None:
    allow_private_targets(app)
    publisher = market.make_publisher()
    with open_endpoint() as endpoint:
        market.make_order(buyer, "20.00", age=UP_TO_90_DAYS, delivery={"kind": "webhook", "url": endpoint.url})
        publisher.post("/leads", market.lead())
        deliver_due(clock.now())
        rests = "UPDATE marketplace.endpoints SET state = 'open', probe_at = :at"
        with transaction() as session:
            session.execute(db.text(rests), {"at": clock.now() + timedelta(minutes=15)})
            session.execute(db.text("UPDATE marketplace.verticals SET book_version = book_version + 1"))
        assert publisher.post("/leads", market.lead())["status"] == "unsold"
        offer(clock)
        clock.advance(minutes=15)
        deliver_due(clock.now())
        offer(clock)
    assert len(bought(buyer)) == 2
