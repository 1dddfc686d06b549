"""A lead bought is delivered to its buyer's endpoint; refused or undeliverable, the next buyer gets it, exactly one."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from core.db import db
from core.outbound import Outbound
from core.signatures import verify
from marketplace.jobs import run_due
from marketplace.leads.delivery import courier
from marketplace.leads.delivery.claims import HANDS_PER_ENDPOINT
from marketplace.leads.delivery.courier import deliver_due
from tests.at_once import at_once, wait_until
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import Endpoint, open_endpoint


@pytest.fixture
def publisher(market: Market) -> Member:
    market.app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    return market.make_publisher()


@pytest.fixture(autouse=True)
def plain_http(app: Flask) -> None:
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


def webhook(endpoint: Endpoint) -> dict[str, Any]:
    return {"kind": "webhook", "url": endpoint.url}


def states(buyer: Member) -> list[str]:
    return [sale["state"] for sale in buyer.get("/sales")["items"]]


def test_a_sale_is_held_until_the_endpoint_accepts_and_its_dates_count_from_then(
    market: Market, publisher: Member, clock: Any
) -> None:
    with open_endpoint() as endpoint:
        buyer = market.make_buyer()
        order = market.make_order(buyer, delivery=webhook(endpoint))
        lead = publisher.post("/leads", market.lead())
        assert (lead["status"], lead["sales"][0]["state"]) == ("sold", "held")
        assert lead["sales"][0]["release_at"] is None
        assert buyer.get("/sales")["items"][0]["lead"]["contact"] is None  # nobody reads a lead and then refuses it
        clock.advance(seconds=3)
        assert deliver_due(clock.now()) == 1
        (headers, body), sale = endpoint.received[0], buyer.get("/sales")["items"][0]
    assert sale["state"] == "delivered"
    assert verify([order["delivery"]["secret"]], headers, body, datetime.now(UTC))
    assert headers["webhook-id"] == sale["id"]
    assert json.loads(body)["data"]["contact"]["email"] == sale["lead"]["contact"]["email"]
    shown = publisher.get(f"/leads/{lead['id']}")["sales"][0]
    assert datetime.fromisoformat(shown["release_at"]) == START + timedelta(seconds=3, days=30)


def test_a_refused_lead_goes_to_the_next_buyer_and_the_money_comes_back(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false, "reason": "known customer"}') as picky, open_endpoint() as glad:
        first, second = market.make_buyer("100.00"), market.make_buyer("100.00")
        market.make_order(first, "30.00", delivery=webhook(picky), caps={"day": 1})
        market.make_order(second, "20.00", delivery=webhook(glad))
        lead = publisher.post("/leads", market.lead())
        deliver_due(START)
        assert states(first) == ["refused"]
        assert states(second) == ["delivered"]
        assert first.get("/wallet")["available"]["amount"] == "100.00"
        assert second.get("/wallet")["held"]["amount"] == "20.00"
        assert publisher.get(f"/leads/{lead['id']}")["status"] == "sold"
        picky.answer = b""
        assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "30.00"  # not counted
        deliver_due(START)
    assert len(glad.received) == 1


def test_a_lead_that_nobody_takes_is_unsold_and_its_person_may_be_sold_again(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=webhook(picky))
        body = market.lead()
        lead = publisher.post("/leads", body)
        deliver_due(START)
        assert publisher.get(f"/leads/{lead['id']}")["status"] == "unsold"
        picky.answer = b""
        again = publisher.post("/leads", body)
        assert again["status"] == "sold"
        deliver_due(START)
        assert states(buyer) == ["delivered", "refused"]


def test_an_endpoint_that_fails_is_tried_at_its_times_and_then_the_next_buyer_gets_the_lead(
    market: Market, publisher: Member, clock: Any
) -> None:
    with open_endpoint(status=500) as broken:
        first, second = market.make_buyer(), market.make_buyer()
        market.make_order(first, "30.00", delivery=webhook(broken))
        market.make_order(second, "20.00")
        publisher.post("/leads", market.lead())
        tried = []
        for second_after in range(0, 700, 5):
            before = len(broken.received)
            deliver_due(START + timedelta(seconds=second_after))
            tried += [second_after] * (len(broken.received) - before)
        assert tried == [0, 5, 30, 120, 300, 600]
        assert states(first) == ["failed"]
        assert states(second) == ["delivered"]
        assert len({headers["webhook-id"] for headers, _ in broken.received}) == 1


def test_deliveries_of_a_dead_process_are_taken_up_again(market: Market, publisher: Member) -> None:
    with open_endpoint() as endpoint:
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=webhook(endpoint))
        publisher.post("/leads", market.lead())
        lost = "UPDATE marketplace.deliveries SET state = 'in_hand', attempts = 1, lease_until = now() - interval '1 s'"
        db.session.execute(db.text(lost))
        db.session.execute(
            db.text("INSERT INTO marketplace.delivery_attempts SELECT sale_id, 1, now() FROM marketplace.deliveries")
        )
        db.session.commit()
        assert deliver_due(START) == 1
        assert states(buyer) == ["delivered"]


def test_a_process_that_dies_between_the_end_of_a_sale_and_the_next_buyer_leaves_it_to_the_next(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        first, second = market.make_buyer(), market.make_buyer()
        market.make_order(first, "30.00", delivery=webhook(picky))
        market.make_order(second, "20.00")
        publisher.post("/leads", market.lead())
        with monkeypatch.context() as dying:
            dying.setattr(courier, "pass_on_ended", lambda *_: None)
            deliver_due(START)
        assert (states(first), states(second)) == (["refused"], [])
        deliver_due(START + timedelta(minutes=1))
        assert (states(first), states(second)) == (["refused"], ["delivered"])


def test_many_couriers_deliver_each_lead_once_and_no_hold_is_resolved_twice(
    market: Market, publisher: Member, app: Flask
) -> None:
    with open_endpoint() as glad, open_endpoint(answer=b'{"accepted": false}') as picky:
        buyers = [market.make_buyer() for _ in range(3)]
        for buyer, price, endpoint in zip(buyers, ("30.00", "25.00", "20.00"), (picky, picky, glad), strict=True):
            market.make_order(buyer, price, delivery=webhook(endpoint), caps={"day": 20})
        leads = [publisher.post("/leads", market.lead())["id"] for _ in range(12)]

        def work() -> int:
            with app.app_context():
                return deliver_due(START)

        at_once([work] * 3)
        deliver_due(START)
        assert Counter(state for buyer in buyers for state in states(buyer)) == {"refused": 24, "delivered": 12}
        assert {publisher.get(f"/leads/{lead}")["status"] for lead in leads} == {"sold"}
        assert len({headers["webhook-id"] for headers, _ in glad.received}) == len(glad.received) == 12


def test_a_slow_endpoint_holds_up_nobody_else(market: Market, publisher: Member, app: Flask) -> None:
    with open_endpoint() as slow, open_endpoint() as quick:
        slow.open.clear()
        market.make_order(market.make_buyer(), "30.00", delivery=webhook(slow), caps={"total": courier.HANDS + 1})
        market.make_order(market.make_buyer(), "20.00", delivery=webhook(quick))
        for _ in range(courier.HANDS + 2):  # more for the slow one than there are hands
            publisher.post("/leads", market.lead())
        at_work = courier.Courier(app, lambda: START)
        try:
            under_way = at_work.take_round() + at_work.take_round()
            wait_until(lambda: len(quick.received) == 1)
            assert len(slow.received) <= HANDS_PER_ENDPOINT == len(under_way) - 1
        finally:
            slow.open.set()
            at_work.close()
        deliver_due(START)
        assert len(slow.received) == courier.HANDS + 1


def test_orders_that_share_a_slow_endpoint_share_its_hands(market: Market, publisher: Member, app: Flask) -> None:
    with open_endpoint() as slow, open_endpoint() as quick:
        slow.open.clear()
        buyer = market.make_buyer()
        for campaign in ("?c=1", "?c=2", "?c=3"):
            market.make_order(
                buyer,
                "30.00",
                delivery={"kind": "webhook", "url": slow.url + campaign},
                caps={"total": HANDS_PER_ENDPOINT},
            )
        market.make_order(market.make_buyer(), "20.00", delivery=webhook(quick))
        for _ in range(3 * HANDS_PER_ENDPOINT + 1):
            publisher.post("/leads", market.lead())
        at_work = courier.Courier(app, lambda: START)
        try:
            under_way = at_work.take_round() + at_work.take_round() + at_work.take_round()
            wait_until(lambda: len(quick.received) == 1)
            assert len(slow.received) <= HANDS_PER_ENDPOINT == len(under_way) - 1 < courier.HANDS
        finally:
            slow.open.set()
            at_work.close()
        deliver_due(START + timedelta(seconds=1))
    assert len(slow.received) == 3 * HANDS_PER_ENDPOINT


def test_addresses_that_are_spelt_differently_are_one_endpoint(market: Market) -> None:
    def endpoint_of(url: str | None) -> Any:
        terms = json.dumps({"delivery": {"url": url}})
        return db.session.scalar(db.text("SELECT marketplace.endpoint_of(CAST(:terms AS jsonb))"), {"terms": terms})

    same = ["https://CRM.example/a?k=1", "HTTPS://crm.example:443/a", "https://crm.example:0443/a?"]
    assert {endpoint_of(url) for url in same} == {"https://crm.example:443/a"}
    assert endpoint_of("http://crm.example") == "http://crm.example:80/"
    assert endpoint_of("http://crm.example?x=1") == "http://crm.example:80/"
    assert endpoint_of("https://[2001:DB8::1]:8443/A/b?x#y") == "https://[2001:db8::1]:8443/A/b"
    assert endpoint_of("sftp://me@crm.example/a") is None
    assert endpoint_of(None) is None


def test_a_refused_sale_leaves_the_count_of_a_later_day_as_it_is(market: Market, publisher: Member, clock: Any) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as endpoint:
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=webhook(endpoint), caps={"day": 1})
        publisher.post("/leads", market.lead())
        clock.advance(days=1)
        assert publisher.post("/leads", market.lead())["status"] == "sold"  # the one of this day
        deliver_due(START + timedelta(minutes=1))  # only the first is due by then
        assert sorted(states(buyer)) == ["held", "refused"]
        assert publisher.post("/leads", market.lead())["status"] == "unsold"


def test_a_lead_is_not_unsold_because_a_clock_lags_behind_the_orders_counters(
    market: Market, publisher: Member, clock: Any
) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        first, second = market.make_buyer(), market.make_buyer()
        market.make_order(first, "30.00", delivery=webhook(picky), caps={"total": 1})
        market.make_order(second, "20.00", caps={"day": 5})
        lead = publisher.post("/leads", market.lead())["id"]
        clock.advance(days=1)
        publisher.post("/leads", market.lead())  # the second order counts in the next day
        deliver_due(START)
        assert publisher.get(f"/leads/{lead}")["status"] == "sold"
        assert states(second) == ["delivered"]
        deliver_due(clock.now())
        assert states(second) == ["delivered", "delivered"]


def test_the_log_shows_each_attempt_and_the_request_while_the_contact_is_the_buyers(
    market: Market, publisher: Member
) -> None:
    with open_endpoint(status=500, answer=b"oops") as endpoint:
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=webhook(endpoint))
        publisher.post("/leads", market.lead())
        deliver_due(START)
        sale = buyer.get("/sales")["items"][0]["id"]
        (first,) = buyer.get(f"/sales/{sale}/deliveries")["items"]
        assert (first["outcome"], first["status"], first["exchanged"]) == ("error", 500, None)
        endpoint.status = 200
        deliver_due(START + timedelta(seconds=5))
        first, second = buyer.get(f"/sales/{sale}/deliveries")["items"]
    assert (second["outcome"], second["status"]) == ("accepted", 200)
    assert first["exchanged"]["answer"] == "oops"
    assert "@example.com" in second["exchanged"]["body"]
    assert publisher.request("GET", f"/sales/{sale}/deliveries").status_code == 403


def test_the_reason_of_a_refusal_hides_whom_it_is_about(market: Market, publisher: Member) -> None:
    with open_endpoint() as endpoint:
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=webhook(endpoint))
        body = market.lead()
        endpoint.answer = json.dumps({"accepted": False, "reason": f"{body['contact']['email']} is ours"}).encode()
        publisher.post("/leads", body)
        deliver_due(START)
        sale = buyer.get("/sales")["items"][0]["id"]
        (attempt,) = buyer.get(f"/sales/{sale}/deliveries")["items"]
    assert attempt["reason"] == "p•••@e•••.com is ours"


def test_why_tells_who_refused_and_who_bought_in_the_end(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        market.make_order(market.make_buyer(), "30.00", delivery=webhook(picky))
        market.make_order(market.make_buyer(), "20.00")
        lead = publisher.post("/leads", market.lead())["id"]
        deliver_due(START)
    assert [each["outcome"] for each in publisher.get(f"/leads/{lead}/why")["items"]] == ["refused", "sold"]


def test_run_due_delivers(market: Market, publisher: Member) -> None:
    with open_endpoint() as endpoint:
        market.make_order(market.make_buyer(), delivery=webhook(endpoint))
        publisher.post("/leads", market.lead())
        assert run_due(START)["deliveries"] == 1


def test_a_shared_lead_that_one_refuses_gets_another_buyer_in_his_place(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        buyers = [market.make_buyer() for _ in range(4)]
        shared = {"exclusivity": "shared", "max_share": 3}
        for buyer, price in zip(buyers, ("40.00", "30.00", "20.00", "10.00"), strict=True):
            delivery = webhook(picky) if price == "30.00" else {"kind": "none"}
            market.make_order(buyer, price, delivery=delivery, **shared)
        lead = publisher.post("/leads", market.lead())
        assert len(lead["sales"]) == 3
        deliver_due(START)
        assert [states(buyer) for buyer in buyers] == [["delivered"], ["refused"], ["delivered"], ["delivered"]]


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        ({"kind": "webhook", "url": "ftp://example.com"}, "invalid_url"),
        ({"kind": "email", "to": "nobody"}, "invalid_email"),
    ],
)
def test_a_delivery_that_cannot_work_is_refused_when_it_is_saved(
    market: Market, publisher: Member, delivery: dict[str, str], code: str
) -> None:
    body = {"name": "x", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"}, "delivery": delivery}
    answer = market.make_buyer().request("POST", "/orders", body)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json["errors"]] == [code]


def test_fields_keep_the_order_in_which_the_buyer_has_written_them(market: Market, publisher: Member) -> None:
    market.app.json.sort_keys = False  # type: ignore[attr-defined]  # as the test client would
    fields = {"zz": "lead_id", "a": "region", "middle": {"constant": 1}, "b": "vertical"}
    with open_endpoint() as endpoint:
        buyer = market.make_buyer()
        delivery = {"kind": "http", "url": endpoint.url, "format": "json", "fields": fields}
        order = market.make_order(buyer, delivery=delivery)
        buyer.request("PATCH", f"/orders/{order['id']}", {"price": {"amount": "21.00", "currency": "EUR"}})
        publisher.post("/leads", market.lead())
        deliver_due(START)
    assert list(json.loads(endpoint.received[0][1])) == list(fields)
    assert list(buyer.get(f"/orders/{order['id']}")["delivery"]["fields"]) == list(fields)
