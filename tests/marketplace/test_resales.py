"""Leads that somebody has bought are sold again by their consent, when nobody is inside his window, to others, for less."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from core.clock import as_rfc3339
from core.db import db, transaction
from core.ids import parse_id
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.replay import replays
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_again import UP_TO_90_DAYS, bought, offer, standing
from tests.marketplace.test_next_by_rules import allow_private_targets
from tests.marketplace.test_suppression import send, sha

RESOLD = {"from": 1, "to": 90, "resold": True}


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def sold(market: Market, publisher: Member, buyer: Member, price: str = "40.00", **consent: Any) -> Any:
    """Sell a lead to a buyer whose order takes this one alone."""
    market.make_order(buyer, price, caps={"total": 1})
    given = {"text": "Yes.", "given_at": as_rfc3339(market.clock.now()), "resale": True}
    lead = publisher.post("/leads", market.lead(consent=given | consent))
    assert lead["status"] == "sold"
    return lead


def test_it_is_sold_again_when_the_window_is_over_for_a_part_of_its_last_price(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    first, second = market.make_buyer(), market.make_buyer()
    lead = sold(market, publisher, first)
    market.make_order(second, "30.00", age=RESOLD)
    market.make_order(first, "30.00", age=RESOLD)  # who has it already
    clock.advance(days=6)
    offer(clock)
    assert (bought(second), standing(publisher, lead)) == ([], ("open", "inside_window"))
    clock.advance(days=5)
    offer(clock)
    assert (bought(first), bought(second)) == (["40.00"], ["8.00"])  # 20 % of 40.00 on the eleventh day
    sale = second.get("/sales")["items"][0]
    assert sale["aged"] == {"age_minutes": 11 * 1440, "resold": True, "returned": None}
    assert first.get("/sales")["items"][0]["aged"] is None
    with transaction():
        found = replays(parse_id("lead", lead["id"]))
    assert len(found) >= 2 and all(one.is_same for one in found)


def test_deliveries_say_how_old_a_lead_is_and_who_had_it_and_nothing_of_a_fresh_one(
    app: Flask, market: Market, publisher: Member, clock: SetClock
) -> None:
    allow_private_targets(app)
    first, second = market.make_buyer(), market.make_buyer()
    with open_endpoint() as endpoint:
        delivery = {"kind": "webhook", "url": endpoint.url}
        market.make_order(first, "40.00", delivery=delivery)
        given = {"text": "Yes.", "given_at": as_rfc3339(clock.now()), "resale": True}
        publisher.post("/leads", market.lead(consent=given))
        deliver_due(clock.now())
        market.make_order(second, "30.00", age=RESOLD, delivery=delivery)
        clock.advance(days=11)
        offer(clock)
        deliver_due(clock.now())
        fresh, aged = (json.loads(body)["data"] for _, body in endpoint.received)
    assert fresh["aged"] == {"age_minutes": None, "resold": None, "returned": None}
    assert (fresh["exclusive"], aged["exclusive"]) == (True, False), "somebody else has it"
    assert (
        aged["aged"]
        == second.get("/sales")["items"][0]["aged"]
        == {"age_minutes": 15840, "resold": True, "returned": None}
    )


@pytest.mark.parametrize(
    ("consent", "lead_says", "why"),
    [({"resale": False}, {}, None), ({}, {"exclusive_only": True}, "made_for_one"),
     ({"most_recipients": 1}, {}, "recipients_reached")],
)  # fmt: skip
def test_it_is_never_sold_again_beyond_what_the_person_and_the_publisher_said(
    market: Market, publisher: Member, clock: SetClock, consent: Any, lead_says: Any, why: str | None
) -> None:
    first, second = market.make_buyer(), market.make_buyer()
    market.make_order(first, "40.00")
    given = {"text": "Yes.", "given_at": as_rfc3339(clock.now()), "resale": True} | consent
    lead = publisher.post("/leads", market.lead(consent=given, **lead_says))
    market.make_order(second, "30.00", age=RESOLD)
    clock.advance(days=11)
    offer(clock)
    assert bought(second) == []
    if why:
        assert standing(publisher, lead) == ("ended", why)
    else:
        assert publisher.request("GET", f"/leads/{lead['id']}/offering").status_code == 404


def test_it_is_resold_twice_and_no_more(market: Market, publisher: Member, clock: SetClock) -> None:
    lead = sold(market, publisher, market.make_buyer())
    others = [market.make_buyer() for _ in range(3)]
    for other in others:
        market.make_order(other, "30.00", age=RESOLD)
    for _ in range(4):
        clock.advance(days=11)
        offer(clock)
    assert sorted(len(bought(other)) for other in others) == [0, 1, 1]
    assert standing(publisher, lead) == ("ended", "resold_out")
    amounts = [sale["price"]["amount"] for sale in publisher.get(f"/leads/{lead['id']}")["sales"]]
    assert amounts == ["40.00", "8.00", "1.60"]  # 20 % of the last price each time


def test_an_order_that_does_not_say_resold_buys_none_that_others_have(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    lead, other = sold(market, publisher, market.make_buyer()), market.make_buyer()
    market.make_order(other, "30.00", age={"from": 0, "to": 90})
    clock.advance(days=11)
    offer(clock)
    assert bought(other) == []
    told = publisher.get(f"/leads/{lead['id']}/why")["items"]
    assert "sold" in [one["outcome"] for one in told]


def returned(market: Market, publisher: Member, buyer: Member, reason: str) -> Any:
    """Sell a lead that the buyer sends back for a reason, which an operator upholds."""
    lead = sold(market, publisher, buyer)
    sale = buyer.get("/sales")["items"][0]
    claim = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": reason, "note": "We know him."})
    decision = {"decision": "uphold", "note": "So it is."}
    market.make_operator().post(f"/disputes/{claim['id']}/resolve", decision)
    assert buyer.get(f"/sales/{sale['id']}")["state"] == "returned"
    return lead


def test_what_was_sent_back_is_sold_for_half_to_whoever_takes_it_and_is_told(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    first, wary, second = (market.make_buyer() for _ in range(3))
    lead = returned(market, publisher, first, "duplicate")
    market.make_order(wary, "30.00", age={"from": 0, "to": 90, "resold": True})
    market.make_order(second, "30.00", age={"from": 0, "to": 90, "returned": ["duplicate"]})
    offer(clock)
    assert (bought(wary), bought(second)) == ([], ["20.00"])  # half of 40.00, on the first day
    assert second.get("/sales")["items"][0]["aged"]["returned"] == "duplicate"
    told = wary.get(f"/leads/{lead['id']}/why?offer=1")["items"]
    assert [one["detail"] for one in told] == [
        "Another buyer sent the lead back (duplicate); the order does not take such leads."
    ]


@pytest.mark.parametrize("reason", ["mistyped", "bot", "prank"])
def test_a_pseudo_lead_is_never_sold_again(market: Market, publisher: Member, clock: SetClock, reason: str) -> None:
    lead, other = returned(market, publisher, market.make_buyer(), reason), market.make_buyer()
    market.make_order(other, "30.00", age={"from": 0, "to": 90, "returned": ["duplicate", "unreachable"]})
    offer(clock)
    assert (bought(other), standing(publisher, lead)) == ([], ("ended", "pseudo_lead"))


def test_each_resale_has_its_own_hold_share_and_release(market: Market, publisher: Member, clock: SetClock) -> None:
    first, second = market.make_buyer(), market.make_buyer()
    sold(market, publisher, first)
    market.make_order(second, "30.00", age=RESOLD)
    clock.advance(days=11)
    offer(clock)
    with transaction():
        rows = db.session.execute(text(
            "SELECT s.price_minor, s.payout_minor, s.release_at - s.sold_at, h.amount_minor FROM marketplace.sales s"
            " JOIN billing.holds h ON h.id = s.id ORDER BY s.sold_at"
        )).all()  # fmt: skip
    assert [(row[0], row[1], row[3]) for row in rows] == [(4000, 2800, 4000), (800, 560, 800)]
    assert rows[0][2] == rows[1][2] > timedelta(days=7)
    assert [buyer.get("/wallet")["held"]["amount"] for buyer in (first, second)] == ["40.00", "8.00"]


def test_whoever_has_it_never_buys_it_again(market: Market, publisher: Member, clock: SetClock) -> None:
    first = market.make_buyer()
    lead = sold(market, publisher, first)
    market.make_order(first, "30.00", age=RESOLD)
    clock.advance(days=11)
    offer(clock)
    assert (bought(first), standing(publisher, lead)[0]) == (["40.00"], "open")


def test_a_list_that_came_later_changes_nothing_of_the_first_decision(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    wary = market.make_buyer()
    market.make_order(wary, "20.00", age=UP_TO_90_DAYS | {"resold": True})
    market.make_order(market.make_buyer(), "40.00")
    given = {"text": "Yes.", "given_at": as_rfc3339(clock.now()), "resale": True}
    lead = publisher.post("/leads", market.lead(consent=given, contact={"email": "ada@example.com"}))
    send(wary, sha("ada@example.com"), query="suppress=true")
    clock.advance(days=11)
    offer(clock)
    with transaction():
        assert db.session.execute(text("SELECT count(*) FROM marketplace.suppressed_leads")).scalar_one() == 1
    assert [one["outcome"] for one in wary.get(f"/leads/{lead['id']}/why")["items"]] == ["outbid"]
    assert bought(wary) == []
