"""The test button: a sample lead is written, sent and judged as a sale would be, and nothing is sold or kept."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from core.db import db
from core.outbound import Outbound
from core.signatures import verify
from marketplace.leads.delivery.trial import TRIALS
from tests.core.endpoints import running, silent
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint

RULES = {
    "decide": [
        {"outcome": "accepted", "json": "$.status", "is": ["created"]},
        {"outcome": "refused", "json": "$.status", "is": ["known"]},
    ],
    "reason": [{"json": "$.why"}], "price": [{"json": "$.price"}], "reference": [{"json": "$.id"}],
    "redirect_url": [{"json": "$.next"}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def private_targets(app: Flask) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def http(url: str, **more: Any) -> dict[str, Any]:
    settings = {
        "kind": "http", "url": url, "headers": {"Authorization": "Bearer very-secret-7"}, "answer": RULES,
        "fields": {"email": "contact.email", "course": "attributes.course", "test": "test",
                   "partner_key": {"constant": "another-secret"}},
    }  # fmt: skip
    return settings | more


def codes(answer: Any) -> set[tuple[str, str]]:
    return {(one["field"], one["code"]) for one in answer["problems"]}


def test_an_orders_delivery_is_tried_with_a_sample_lead(market: Market, buyer: Member) -> None:
    said = {"status": "created", "price": "12.50", "id": "A-7", "next": "https://school.example/hello"}
    with open_endpoint(answer=json.dumps(said).encode()) as endpoint:
        order = market.make_order(buyer, delivery=http(endpoint.url))
        tried = buyer.post(f"/orders/{order['id']}/test")
        headers, body = endpoint.received[0]
    assert json.loads(body)["test"] is True
    assert headers["authorization"] == "Bearer very-secret-7"
    assert json.loads(body)["partner_key"] == "another-secret"
    assert "secret" not in json.dumps(tried["request"])
    assert json.loads(tried["request"]["body"])["email"] == json.loads(body)["email"]
    assert (tried["answer"]["status"], json.loads(tried["answer"]["body"])) == (200, said)
    assert tried["verdict"] == {
        "outcome": "accepted", "reason": "", "price": {"amount": "12.50", "currency": "EUR"}, "reference": "A-7",
        "redirect_url": "https://school.example/hello",
    }  # fmt: skip
    assert tried["problems"] == []
    assert buyer.get("/sales")["items"] == []
    assert buyer.get("/wallet")["held"]["amount"] == "0.00"
    assert db.session.scalar(db.text("SELECT count(*) FROM marketplace.endpoints")) == 0  # the breaker counts sales


def test_a_webhook_is_signed_with_the_orders_secret(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery={"kind": "webhook", "url": endpoint.url})
        buyer.post(f"/orders/{order['id']}/test")
        headers, body = endpoint.received[0]
    assert verify([order["delivery"]["secret"]], headers, body, datetime.now(UTC))


def test_it_can_be_written_without_being_sent(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery=http(endpoint.url))
        tried = buyer.post(f"/orders/{order['id']}/test", {"send": False})
        assert endpoint.received == []
    assert (tried["answer"], tried["verdict"]) == (None, None)
    assert tried["request"]["url"] == endpoint.url


def test_a_delivery_that_is_not_saved_is_tried(buyer: Member) -> None:
    with open_endpoint(answer=b'{"status": "known", "why": "we have them"}') as endpoint:
        tried = buyer.post("/deliveries/test", {"vertical": "education", "delivery": http(endpoint.url)})
    assert (tried["verdict"]["outcome"], tried["verdict"]["reason"]) == ("refused", "we have them")
    assert tried["problems"] == []


def test_another_delivery_is_tried_in_the_place_of_an_orders_with_its_secrets(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery=http(endpoint.url))
        changed = order["delivery"] | {"format": "form"}
        buyer.post(f"/orders/{order['id']}/test", {"delivery": changed})
        headers, body = endpoint.received[0]
        assert headers["authorization"] == "Bearer very-secret-7"
        assert b"partner_key=another-secret" in body
        elsewhere = changed | {"url": endpoint.url.replace("127.0.0.1", "localhost")}
        answer = buyer.request("POST", f"/orders/{order['id']}/test", {"delivery": elsewhere})
        assert answer.status_code == 422  # a secret is not sent to another host
        assert {error["code"] for error in answer.json["errors"]} == {"masked_value"}


@pytest.mark.parametrize(
    ("status", "said", "problems"),
    [
        (500, b"oops", {("delivery.answer.decide", "answer_is_error")}),
        (302, b"", {("delivery.answer.decide", "answer_is_error")}),
        (200, b"<html>hello</html>", {("delivery.answer.decide", "answer_is_error")}),
        (200, b'{"status": "created", "id": "A", "price": "cheap", "next": "javascript:x"}',
         {("delivery.answer.price", "nothing_found"), ("delivery.answer.redirect_url", "nothing_found")}),
    ],
)  # fmt: skip
def test_each_problem_is_told_by_its_field(
    buyer: Member, status: int, said: bytes, problems: set[tuple[str, str]]
) -> None:
    with open_endpoint(status=status, answer=said) as endpoint:
        tried = buyer.post("/deliveries/test", {"vertical": "education", "delivery": http(endpoint.url)})
    assert codes(tried) == problems
    assert tried["answer"]["status"] == status


def test_no_answer_is_told_too(buyer: Member) -> None:
    with running(silent) as endpoint:
        body = {"vertical": "education", "delivery": http(endpoint.url, timeout_seconds=1)}
        tried = buyer.post("/deliveries/test", body)
    assert codes(tried) == {("delivery.url", "timeout")}
    assert (tried["answer"], tried["verdict"]["outcome"]) == (None, "error")


@pytest.mark.parametrize(
    ("delivery", "fault"),
    [
        ({"kind": "none"}, ("delivery.kind", "not_testable")),
        ({"kind": "http", "url": "ftp://x", "fields": {"a": "region"}}, ("delivery.url", "invalid_url")),
        ({"kind": "http", "url": "https://x.example", "fields": {"a": "nothing"}}, ("delivery.fields.a.from", "unknown_field")),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused_with_its_faults(
    buyer: Member, delivery: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = buyer.request("POST", "/deliveries/test", {"vertical": "education", "delivery": delivery})
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [fault]


def test_the_gate_outward_checks_the_address(market: Market, buyer: Member, app: Flask) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery=http(endpoint.url))
        app.extensions["leadbourse_outbound"] = Outbound(allow_private=False)
        answer = buyer.request("POST", f"/orders/{order['id']}/test", {})
        assert endpoint.received == []
    assert [error["code"] for error in answer.json["errors"]] == ["target_refused"]


def test_it_is_somebodys_own_order_and_not_too_often(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer, delivery=http("http://127.0.0.1:9/"))
    assert market.make_buyer().request("POST", f"/orders/{order['id']}/test", {}).status_code == 404
    assert market.make_publisher().request("POST", f"/orders/{order['id']}/test", {}).status_code == 403
    for _ in range(TRIALS.times):
        assert buyer.request("POST", f"/orders/{order['id']}/test", {"send": False}).status_code == 200
    refused = buyer.request("POST", f"/orders/{order['id']}/test", {"send": False})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= TRIALS.seconds


def test_under_an_idempotency_key_it_is_sent_once(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery=http(endpoint.url))
        first = buyer.request("POST", f"/orders/{order['id']}/test", {}, Idempotency_Key="a")
        again = buyer.request("POST", f"/orders/{order['id']}/test", {}, Idempotency_Key="a")
        other = buyer.request("POST", f"/orders/{order['id']}/test", {"send": False}, Idempotency_Key="a")
        assert len(endpoint.received) == 1
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
