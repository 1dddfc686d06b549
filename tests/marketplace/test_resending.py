"""Sending by hand: the same lead under the same id, logged, to where the order delivers now; money never moves."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.db import db
from core.outbound import Outbound
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.resending import RESENDS
from tests.at_once import at_once
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import Endpoint, open_endpoint


@pytest.fixture(autouse=True)
def private_targets(app: Flask) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def sold(market: Market, buyer: Member, endpoint: Endpoint, at: Any = START) -> tuple[Any, str]:
    """Sell a lead to an order that delivers to an endpoint, attempt to deliver it, and return order and sale."""
    order = market.make_order(buyer, delivery={"kind": "webhook", "url": endpoint.url})
    market.make_publisher().post("/leads", market.lead())
    deliver_due(at)
    return order, buyer.get("/sales")["items"][0]["id"]


def give_back(market: Market, buyer: Member, sale: str) -> None:
    dispute = buyer.post(f"/sales/{sale}/disputes", {"reason": "mistyped", "note": "the number is dead"})
    market.make_operator().post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold", "note": "it is dead"})


def refusal(member: Member, sale: str) -> tuple[int, str]:
    answer = member.request("POST", f"/sales/{sale}/deliveries")
    return answer.status_code, answer.json["code"]


def test_a_delivered_lead_is_sent_again_to_where_its_order_delivers_now(market: Market, buyer: Member) -> None:
    with open_endpoint() as old, open_endpoint(answer=b'{"accepted": false}') as new:
        order, sale = sold(market, buyer, old)
        buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": {"kind": "webhook", "url": new.url}})
        before = buyer.get(f"/sales/{sale}"), buyer.get("/wallet")
        asked = buyer.post(f"/sales/{sale}/deliveries")
        assert (asked["number"], asked["outcome"], asked["by_hand"]) == (2, None, True)
        assert refusal(buyer, sale) == (409, "being_sent")
        deliver_due(START)
        assert (len(old.received), len(new.received)) == (1, 1)
        assert old.received[0][0]["webhook-id"] == new.received[0][0]["webhook-id"] == sale
        assert json.loads(old.received[0][1])["data"]["contact"] == json.loads(new.received[0][1])["data"]["contact"]
        first, second = buyer.get(f"/sales/{sale}/deliveries")["items"]
        assert (first["outcome"], first["by_hand"]) == ("accepted", False)
        assert (second["outcome"], second["by_hand"]) == ("refused", True)
        assert (buyer.get(f"/sales/{sale}"), buyer.get("/wallet")) == before  # a refusal by now changes nothing
        counted = db.session.scalars(db.text("SELECT recent #>> '{0,1}' FROM marketplace.endpoints")).all()
        db.session.rollback()
        assert counted == ["1"]  # the breaker counts what was sold, not what somebody tries
        deliver_due(START + timedelta(hours=1))
        assert len(new.received) == 1


def test_a_lead_that_waits_is_sent_at_once(market: Market, buyer: Member) -> None:
    with open_endpoint(status=500) as endpoint:
        _, sale = sold(market, buyer, endpoint)
        endpoint.status = 200
        assert buyer.post(f"/sales/{sale}/deliveries")["number"] == 2
        deliver_due(START)  # it was to be tried five seconds later
        assert len(endpoint.received) == 2
    assert buyer.get(f"/sales/{sale}")["state"] == "delivered"
    assert [one["by_hand"] for one in buyer.get(f"/sales/{sale}/deliveries")["items"]] == [False, True]


def test_what_was_refused_failed_or_returned_is_never_sent_again(market: Market, buyer: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as endpoint:
        _, sale = sold(market, buyer, endpoint)
        assert refusal(buyer, sale) == (409, "not_now")
        endpoint.answer = b""
    with open_endpoint() as endpoint:
        _, sale = sold(market, buyer, endpoint)
        give_back(market, buyer, sale)
        assert refusal(buyer, sale) == (409, "not_now")
        assert len(endpoint.received) == 1


def test_a_lead_that_was_returned_since_it_was_asked_for_is_not_sent(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        _, sale = sold(market, buyer, endpoint)
        buyer.post(f"/sales/{sale}/deliveries")
        give_back(market, buyer, sale)
        deliver_due(START)
        assert len(endpoint.received) == 1
    last = buyer.get(f"/sales/{sale}/deliveries")["items"][-1]
    assert last["outcome"] == "not_sent"
    assert last["reason"].startswith("contact_ended")


def test_nothing_is_sent_by_hand_where_nothing_is_sent(market: Market, buyer: Member) -> None:
    market.make_order(buyer)
    market.make_publisher().post("/leads", market.lead())
    assert refusal(buyer, buyer.get("/sales")["items"][0]["id"]) == (409, "nothing_to_send_to")
    with open_endpoint() as endpoint:
        order, sale = sold(market, buyer, endpoint)
        buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": {"kind": "none"}})
        sale = next(one["id"] for one in buyer.get("/sales")["items"] if one["order"] == order["id"])
        assert refusal(buyer, sale) == (409, "nothing_to_send_to")
        buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": order["delivery"]})
        db.session.execute(db.text("UPDATE marketplace.endpoints SET state = 'open', probe_at = now()"))
        db.session.commit()
        assert refusal(buyer, sale) == (409, "endpoint_paused")


def test_an_operator_may_and_others_may_not(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        _, sale = sold(market, buyer, endpoint)
        assert refusal(market.make_buyer(), sale) == (404, "not_found")
        assert refusal(market.make_publisher(), sale) == (403, "scope_missing")
        assert market.make_operator().post(f"/sales/{sale}/deliveries")["by_hand"]
        deliver_due(START)
        assert len(endpoint.received) == 2


def test_it_is_not_sent_too_often(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        _, sale = sold(market, buyer, endpoint)
        for _ in range(RESENDS.times):
            buyer.post(f"/sales/{sale}/deliveries")
            deliver_due(START)
        assert buyer.request("POST", f"/sales/{sale}/deliveries").status_code == 429


def test_many_couriers_send_it_once(market: Market, buyer: Member, app: Flask) -> None:
    with open_endpoint() as endpoint:
        _, sale = sold(market, buyer, endpoint)
        buyer.post(f"/sales/{sale}/deliveries")

        def work() -> int:
            with app.app_context():
                return deliver_due(START)

        assert sum(at_once([work] * 4)) == 1
        assert len(endpoint.received) == 2


def test_what_a_dead_process_had_in_hand_is_sent_by_another(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        _, sale = sold(market, buyer, endpoint)
        buyer.post(f"/sales/{sale}/deliveries")
        lease = "UPDATE marketplace.delivery_attempts SET lease_until = now() + interval '{}' WHERE number = 2"
        db.session.execute(db.text(lease.format("1 minute")))
        db.session.commit()
        assert deliver_due(START) == 0
        db.session.execute(db.text(lease.format("-1 second")))
        db.session.commit()
        assert deliver_due(START) == 1
        assert len(endpoint.received) == 2


def test_an_operator_reads_the_log_with_contact_and_credentials_hidden(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        delivery = {"kind": "http", "url": endpoint.url, "headers": {"Authorization": "Bearer very-secret-7"},
                    "fields": {"email": "contact.email", "name": "contact.full_name"}}  # fmt: skip
        market.make_order(buyer, delivery=delivery)
        publisher, body = market.make_publisher(), market.lead()
        endpoint.answer = json.dumps({"known": body["contact"]["email"]}).encode()
        publisher.post("/leads", body)
        deliver_due(START)
    sale = buyer.get("/sales")["items"][0]["id"]
    (mine,) = buyer.get(f"/sales/{sale}/deliveries")["items"]
    (theirs,) = market.make_operator().get(f"/sales/{sale}/deliveries")["items"]
    assert body["contact"]["email"] in mine["exchanged"]["body"]
    assert body["contact"]["email"] not in json.dumps(theirs)
    assert theirs["exchanged"]["headers"]["Authorization"] == mine["exchanged"]["headers"]["Authorization"] == "•••"
    assert "@e•••.com" in theirs["exchanged"]["body"]
    assert publisher.request("GET", f"/sales/{sale}/deliveries").status_code == 403
    assert market.make_buyer().request("GET", f"/sales/{sale}/deliveries").status_code == 404
