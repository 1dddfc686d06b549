"""A buyer who answers at once is asked inside the publisher's call; whoever refuses is followed by the next, in time."""

import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask

from core.db import db
from core.ids import parse_id
from core.outbound import Outbound
from marketplace.leads.delivery import awaited
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.waits import Waits
from marketplace.leads.dialects.posted import Posted
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.taking import take_post
from tests.at_once import ask, at_once, wait_until
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.dialects.speaking import a_person, elements, fields_of, post, register
from tests.marketplace.endpoint import Endpoint, open_endpoint

RUN_OUT = "UPDATE marketplace.deliveries SET lease_until = now() - interval '1 s' WHERE state = 'in_hand' RETURNING 1"
END_OF_PAUSE = START + timedelta(minutes=5)
NEWS = "SELECT payload ->> 'event' FROM core.outbox WHERE payload ->> 'event' LIKE 'lead.%' ORDER BY id"


@pytest.fixture(autouse=True)
def settings(app: Flask) -> None:
    """Allow endpoints of tests."""
    set_to(app, allow_private_targets=True)


@pytest.fixture
def publisher(market: Market) -> Member:
    market.app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    return market.make_publisher()


def set_to(app: Flask, **settings: Any) -> None:
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], **settings)


def sync(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    return {"kind": "webhook", "url": endpoint.url, "mode": "sync", **more}


def states(buyer: Member) -> list[str]:
    return [sale["state"] for sale in buyer.get("/sales")["items"]]


def news(url: str) -> list[str]:
    return [event for (event,) in ask(url, NEWS)]


@pytest.mark.parametrize("accept", ["application/json", "application/json, text/plain"])  # at the door, by the view
def test_sold_means_accepted_and_tells_where_the_person_goes_on(
    market: Market, publisher: Member, database_url: str, accept: str
) -> None:
    answer = b'{"accepted": true, "reference": "c-1", "redirect_url": "https://buyer.example/thanks"}'
    with open_endpoint(answer=answer) as endpoint:
        buyer = market.make_buyer()
        market.make_order(buyer, "20.00", delivery=sync(endpoint))
        publisher.request("POST", "/leads", market.lead())  # so that the key is known at the door
        lead = publisher.request("POST", "/leads", market.lead(), Accept=accept).json
    assert (lead["status"], lead["payout"]["amount"], lead["sales"][0]["price"]["amount"]) == ("sold", "14.00", "20.00")
    assert lead["sales"][0]["state"] == "delivered" and lead["sales"][0]["release_at"] is not None
    assert lead["redirect_url"] == "https://buyer.example/thanks"
    shown = publisher.get(f"/leads/{lead['id']}")
    assert {name: shown[name] for name in lead} == lead
    assert states(buyer) == ["delivered"] * 2 and len(endpoint.received) == 2
    assert news(database_url) == ["lead.sold"] * 2
    assert deliver_due(START) == 0


def test_who_refuses_is_followed_by_the_next_in_the_same_call(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky, open_endpoint(503) as broken, open_endpoint() as glad:
        buyers = [market.make_buyer("100.00") for _ in range(3)]
        for buyer, price, endpoint in zip(buyers, ("30.00", "25.00", "20.00"), (picky, broken, glad), strict=True):
            market.make_order(buyer, price, delivery=sync(endpoint))
        lead = publisher.post("/leads", market.lead())
        assert [sale["price"]["amount"] for sale in lead["sales"]] == ["20.00"]
        assert (lead["status"], lead["payout"]["amount"]) == ("sold", "14.00")
        assert [states(buyer) for buyer in buyers] == [["refused"], ["failed"], ["delivered"]]
        assert [len(each.received) for each in (picky, broken, glad)] == [1, 1, 1]  # once, without quick retries
        assert [buyer.get("/wallet")["available"]["amount"] for buyer in buyers] == ["100.00", "100.00", "80.00"]
        assert publisher.get(f"/leads/{lead['id']}")["payout"]["amount"] == "14.00"
        outcomes = Counter(item["outcome"] for item in publisher.get(f"/leads/{lead['id']}/why")["items"])
        assert outcomes == {"refused": 1, "undeliverable": 1, "sold": 1}


def test_a_buyer_who_is_silent_for_his_time_is_followed_by_the_next(market: Market, publisher: Member) -> None:
    with open_endpoint() as silent, open_endpoint() as glad:
        silent.open.clear()
        first, second = market.make_buyer(), market.make_buyer()
        market.make_order(first, "30.00", delivery=sync(silent, timeout_seconds=1))
        market.make_order(second, "20.00", delivery=sync(glad))
        assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "20.00"
        assert (states(first), states(second)) == (["failed"], ["delivered"])


def test_the_next_one_may_be_one_who_reads_in_the_portal_or_is_delivered_later(
    market: Market, publisher: Member, database_url: str
) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky, open_endpoint() as later:
        market.make_order(market.make_buyer(), "30.00", delivery=sync(picky))
        market.make_order(market.make_buyer(), "20.00", caps={"total": 1})
        market.make_order(market.make_buyer(), "10.00", delivery={"kind": "webhook", "url": later.url})
        portal, async_ = publisher.post("/leads", market.lead()), publisher.post("/leads", market.lead())
        assert [(lead["status"], lead["sales"][0]["state"]) for lead in (portal, async_)] == [
            ("sold", "delivered"), ("sold", "held")]  # fmt: skip
        assert news(database_url) == ["lead.sold"] * 2
        deliver_due(START)
        assert len(later.received) == 1


def test_a_lead_that_nobody_takes_is_unsold_in_the_same_call(
    market: Market, publisher: Member, database_url: str
) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        market.make_order(market.make_buyer(), delivery=sync(picky))
        body = market.lead()
        lead = publisher.post("/leads", body)
        assert (lead["status"], lead["payout"], lead["sales"]) == ("unsold", None, [])
        assert news(database_url) == ["lead.unsold"]
        picky.answer = b""
        assert publisher.post("/leads", body)["status"] == "sold"  # the person is free again


def test_when_the_time_of_the_lead_is_over_it_is_pending_and_the_courier_carries_on(
    app: Flask, market: Market, publisher: Member, clock: Any, database_url: str
) -> None:
    set_to(app, sync_seconds=2)
    with open_endpoint() as slow:
        slow.open.clear()
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=sync(slow))  # would be given ten seconds, the lead has two
        lead = publisher.post("/leads", market.lead())
        assert (lead["status"], lead["payout"], lead["sales"][0]["state"]) == ("pending", None, "held")
        assert publisher.get("/leads?status=pending")["items"][0]["id"] == lead["id"]
        assert news(database_url) == []
        slow.open.set()
        assert deliver_due(START) == 0  # it was tried once: again after five seconds
        clock.advance(seconds=5)
        assert deliver_due(clock.now()) == 1
        assert publisher.get(f"/leads/{lead['id']}")["status"] == "sold"
        assert states(buyer) == ["delivered"]
        assert news(database_url) == ["lead.sold"]
        attempts = ask(database_url, "SELECT number, outcome FROM marketplace.delivery_attempts ORDER BY number")
        assert attempts == [(1, "error"), (2, "accepted")]
        assert len({headers["webhook-id"] for headers, _ in slow.received}) == 1


def test_a_pending_lead_that_is_refused_later_goes_to_the_next_or_is_unsold(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    app.extensions["leadbourse_waits"] = Waits(0, 0)
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        market.make_order(market.make_buyer(), "30.00", delivery=sync(picky))
        market.make_order(market.make_buyer(), "20.00", caps={"total": 1})
        first, second = publisher.post("/leads", market.lead()), publisher.post("/leads", market.lead())
        assert (first["status"], second["status"], len(picky.received)) == ("pending", "pending", 0)
        deliver_due(START)
        ends = Counter(publisher.get(f"/leads/{lead['id']}")["status"] for lead in (first, second))
        assert ends == {"sold": 1, "unsold": 1}
        assert sorted(news(database_url)) == ["lead.sold", "lead.unsold"]


def test_all_of_a_shared_set_are_asked_and_a_place_that_gets_free_is_filled(market: Market, publisher: Member) -> None:
    with open_endpoint() as glad, open_endpoint(answer=b'{"accepted": false}') as picky, open_endpoint() as spare:
        buyers = [market.make_buyer() for _ in range(3)]
        for buyer, price, endpoint in zip(buyers, ("30.00", "25.00", "20.00"), (glad, picky, spare), strict=True):
            market.make_order(buyer, price, exclusivity="shared", max_share=2, delivery=sync(endpoint))
        lead = publisher.post("/leads", market.lead())
    assert (lead["status"], lead["payout"]["amount"]) == ("sold", "35.00")
    assert [states(buyer) for buyer in buyers] == [["delivered"], ["refused"], ["delivered"]]


def test_a_set_with_a_buyer_in_the_portal_is_sold_whatever_the_others_answer(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        market.make_order(market.make_buyer(), "30.00", exclusivity="shared", delivery=sync(picky))
        market.make_order(market.make_buyer(), "20.00", exclusivity="shared")
        lead = publisher.post("/leads", market.lead())
    assert (lead["status"], [sale["price"]["amount"] for sale in lead["sales"]]) == ("sold", ["20.00"])


def test_a_batch_does_not_wait_for_buyers(market: Market, publisher: Member) -> None:
    with open_endpoint() as endpoint:
        market.make_order(market.make_buyer(), delivery=sync(endpoint))
        headers = {"Content-Type": "application/x-ndjson"}
        answer = publisher.app.test_client().post(
            "/api/v1/leads/batch", data=json.dumps(market.lead()),
            headers=headers | {"Authorization": f"Bearer {publisher.key}"},
        )  # fmt: skip
        assert answer.json["items"][0]["status"] == "sold" and endpoint.received == []
        assert deliver_due(START) == 1


def test_a_key_is_in_progress_during_the_call_and_gives_the_final_answer_after_it(
    app: Flask, market: Market, publisher: Member
) -> None:
    with open_endpoint(answer=b'{"redirect_url": "https://buyer.example/"}') as slow:
        slow.open.clear()
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=sync(slow))
        body, said = market.lead(), []

        def ask_once() -> Any:
            return publisher.request("POST", "/leads", body, **{"Idempotency-Key": "k-1"})

        first = threading.Thread(target=lambda: said.append(ask_once()))
        first.start()
        wait_until(lambda: slow.received)
        during = ask_once()
        slow.open.set()
        first.join()
        again = ask_once()
    assert (during.status_code, during.json["code"]) == (409, "idempotency_in_progress")
    assert (said[0].status_code, said[0].json["status"]) == (201, "sold")
    assert again.data == said[0].data and again.headers["Idempotency-Replayed"] == "true"
    assert states(buyer) == ["delivered"]


def test_what_a_courier_has_taken_over_is_not_called_by_the_web_as_well(
    market: Market, publisher: Member, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = awaited._begun

    def late(sale_ids: Any, ends_at: float) -> Any:
        ask(database_url, "UPDATE marketplace.deliveries SET attempts = 1 RETURNING 1")  # as a courier's claim does
        return begin(sale_ids, ends_at)

    with open_endpoint() as endpoint:
        market.make_order(market.make_buyer(), delivery=sync(endpoint))
        monkeypatch.setattr(awaited, "_begun", late)
        assert publisher.post("/leads", market.lead())["status"] == "pending"
        assert endpoint.received == []


def test_nothing_is_sent_to_an_endpoint_that_was_paused_a_moment_ago(
    market: Market, publisher: Member, database_url: str
) -> None:
    with open_endpoint() as failing, open_endpoint() as glad:
        first, second = market.make_buyer(), market.make_buyer()
        market.make_order(first, "30.00", delivery=sync(failing))
        market.make_order(second, "20.00", delivery=sync(glad))
        assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "30.00"
        ask(database_url, "UPDATE marketplace.endpoints SET state = 'open', probe_at = %s RETURNING 1", END_OF_PAUSE)
        assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "20.00"
    assert (states(first), len(failing.received)) == (["failed", "delivered"], 1)
    outcomes = ask(database_url, "SELECT outcome FROM marketplace.delivery_attempts ORDER BY sale_id")
    assert sorted(outcomes) == [("accepted",), ("accepted",), ("not_sent",)]


def test_a_database_that_goes_away_during_the_call_leaves_the_lead_pending(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        raise psycopg.OperationalError("gone")

    with open_endpoint() as endpoint, monkeypatch.context() as losing:
        market.make_order(market.make_buyer(), delivery=sync(endpoint))
        losing.setattr(awaited, "write_attempt", lose)
        assert publisher.post("/leads", market.lead())["status"] == "pending"


class Died(BaseException):
    """What a killed process does: nothing more."""


def test_a_process_that_dies_during_the_call_leaves_the_lead_to_the_courier_and_the_key_to_its_end(
    market: Market, publisher: Member, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: object) -> None:
        raise Died

    with open_endpoint() as endpoint:
        buyer = market.make_buyer()
        market.make_order(buyer, delivery=sync(endpoint))
        body, key = market.lead(), {"Idempotency-Key": "k-1"}
        with monkeypatch.context() as dying, pytest.raises(Died):
            dying.setattr(awaited, "send_posting", die)
            publisher.request("POST", "/leads", body, **key)
        db.session.remove()
        assert publisher.request("POST", "/leads", body, **key).json["code"] == "idempotency_in_progress"
        assert deliver_due(START) == 0  # the courier leaves it alone as long as the lease runs
        ask(database_url, RUN_OUT)
        assert deliver_due(START) == 1
        ask(database_url, "UPDATE core.idempotency SET answered_at = answered_at - interval '1 minute' RETURNING 1")
        replayed = publisher.request("POST", "/leads", body, **key)
        assert (replayed.status_code, replayed.json["status"]) == (201, "sold")
        assert publisher.request("POST", "/leads", body, **key).data == replayed.data
        assert states(buyer) == ["delivered"] and len(endpoint.received) == 1


def test_an_answer_that_comes_after_the_courier_took_over_changes_nothing_twice(
    market: Market, publisher: Member, database_url: str
) -> None:
    with open_endpoint() as slow, open_endpoint() as other:
        slow.open.clear()
        first, second = market.make_buyer(), market.make_buyer()
        market.make_order(first, "30.00", delivery=sync(slow))
        market.make_order(second, "20.00", delivery=sync(other))
        said: list[Any] = []
        asking = threading.Thread(target=lambda: said.append(publisher.post("/leads", market.lead())))
        asking.start()
        wait_until(lambda: slow.received)
        ask(database_url, RUN_OUT)
        slow.answer = b'{"accepted": false}'
        courier = threading.Thread(target=lambda: _deliver(market))
        courier.start()
        wait_until(lambda: len(slow.received) == 2)
        slow.open.set()
        courier.join()
        asking.join()
    assert (states(first), states(second)) == (["refused"], ["delivered"])
    assert len(other.received) == 1
    assert said[0]["status"] in ("sold", "pending")


def _deliver(market: Market) -> None:
    with market.app.app_context():
        deliver_due(START)


def test_many_posts_at_once_end_at_one_buyer_each_within_his_cap(market: Market, publisher: Member, app: Flask) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky, open_endpoint() as glad:
        first, second, third = (market.make_buyer() for _ in range(3))
        market.make_order(first, "30.00", delivery=sync(picky))
        market.make_order(second, "20.00", delivery=sync(glad), caps={"total": 5})
        market.make_order(third, "10.00", delivery=sync(glad))
        bodies = [market.lead() for _ in range(12)]
        said = at_once([lambda body=body: publisher.post("/leads", body) for body in bodies], 12)
        _deliver(market)
    assert {lead["status"] for lead in said} <= {"sold", "pending"}
    assert Counter(states(first)) == {"refused": 12}
    assert (Counter(states(second)), Counter(states(third))) == ({"delivered": 5}, {"delivered": 7})
    assert len({headers["webhook-id"] for headers, _ in glad.received}) == len(glad.received) == 12


@pytest.mark.parametrize(
    ("delivery", "field", "code"),
    [
        ({"kind": "none", "mode": "sync"}, "delivery.mode", "unknown_field"),
        ({"kind": "adf", "vendor": "A", "to": "a@example.com", "mode": "sync"}, "delivery.mode", "not_by_mail"),
        (
            {"kind": "webhook", "url": "https://a.example/", "timeout_seconds": 61},
            "delivery.timeout_seconds",
            "out_of_range",
        ),
    ],
)
def test_an_order_that_cannot_be_asked_at_once_is_refused(
    market: Market, delivery: dict[str, Any], field: str, code: str
) -> None:
    order = {
        "name": "n",
        "vertical": "education",
        "price": {"amount": "20.00", "currency": "EUR"},
        "delivery": delivery,
    }
    answer = market.make_buyer().request("POST", "/orders", order)
    assert (field, code) in {(fault["field"], fault["code"]) for fault in answer.json["errors"]}


def test_a_post_in_another_dialect_is_answered_with_the_buyers_verdict(market: Market, publisher: Member) -> None:
    source = register(publisher, "leadspedia")
    with open_endpoint(answer=b'{"redirect_url": "https://buyer.example/thanks?a=1&b=2"}') as endpoint:
        market.make_order(market.make_buyer(), "20.00", delivery=sync(endpoint))
        sold = elements(post(source, "leadspedia", a_person()))
        endpoint.answer = b'{"accepted": false}'
        refused = elements(post(source, "leadspedia", a_person()))
        as_json = post(source, "leadspedia", a_person(), lp_response="json").json
    assert (sold["result"], sold["price"]) == ("success", "14.00")
    assert sold["redirect_url"] == "https://buyer.example/thanks?a=1&b=2"
    assert (refused["result"], refused["price"], refused["redirect_url"]) == ("failed", "0.00", "")
    assert (as_json["result"], as_json["redirect_url"]) == ("failed", None)


def test_a_lead_that_a_job_fetches_does_not_wait_for_buyers(market: Market, publisher: Member) -> None:
    with open_endpoint() as endpoint:
        market.make_order(market.make_buyer(), delivery=sync(endpoint))
        made = register(publisher, "leadprosper")
        source = db.session.get_one(LeadSource, parse_id("src", made.id))
        posted = Posted(fields_of("leadprosper", a_person()))
        assert take_post(source, posted).kind == "sold" and endpoint.received == []
        assert deliver_due(START) == 1
