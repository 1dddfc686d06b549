"""Credentials in headers and constants of a delivery: sealed where they are kept, masked where they are shown."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from core.db import db
from core.ids import parse_id
from core.outbound import Outbound
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.credentials import opened
from marketplace.leads.desk import desk
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint

KEY, PIN, PASS = "Bearer q7-very-secret", "pin-5566778899", "fourfourfour"


@pytest.fixture(autouse=True)
def private_targets(app: Flask) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def delivery(url: str = "http://127.0.0.1:9/leads", **more: Any) -> dict[str, Any]:
    settings = {
        "kind": "http", "url": url, "format": "json",
        "headers": {"Authorization": KEY, "X-Campaign": "blue", "X-Pin": {"value": PIN, "secret": True}},
        "fields": {"email": "contact.email", "partner_key": {"constant": PASS}, "place": {"constant": "Paris"}},
    }  # fmt: skip
    return settings | more


def stored() -> str:
    tables = ("orders", "order_versions")
    texts = [
        db.session.scalar(db.text(f"SELECT string_agg(terms::text, '') FROM marketplace.{name}")) for name in tables
    ]
    db.session.rollback()
    return "".join(texts)


def sent_to(endpoint: Any) -> tuple[str, str, str]:
    headers, body = endpoint.received[-1]
    return headers["authorization"], headers["x-pin"], json.loads(body)["partner_key"]


def test_secrets_are_sealed_where_they_are_kept_and_masked_where_they_are_shown(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer, delivery=delivery())
    for shown in (order, buyer.get(f"/orders/{order['id']}"), buyer.get("/orders")["items"][0]):
        assert shown["delivery"]["headers"] == {
            "Authorization": "…", "X-Campaign": "blue", "X-Pin": {"value": "…", "secret": True},
        }  # fmt: skip
        assert shown["delivery"]["fields"]["partner_key"] == {"constant": "…"}
        assert shown["delivery"]["fields"]["place"] == {"constant": "Paris"}
    kept = stored()
    assert "blue" in kept and "Paris" in kept
    assert not any(secret in kept for secret in ("q7-very", PIN, PASS))


def test_what_is_sent_has_them_in_the_clear_and_the_log_does_not(market: Market, buyer: Member) -> None:
    with open_endpoint(answer=f'{{"you sent": "{PASS}"}}'.encode()) as endpoint:
        market.make_order(buyer, delivery=delivery(endpoint.url, answer={"otherwise": "accepted"}))
        market.make_publisher().post("/leads", market.lead())
        deliver_due(START)
        assert sent_to(endpoint) == (KEY, PIN, PASS)
    sale = buyer.get("/sales")["items"][0]["id"]
    log = json.dumps(buyer.get(f"/sales/{sale}/deliveries"), ensure_ascii=False)
    assert "@example.com" in log
    assert not any(secret in log for secret in ("q7-very", PIN, PASS))


def test_a_mask_keeps_the_secret_and_a_new_value_replaces_it(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery=delivery(endpoint.url))
        shown = order["delivery"]
        shown["headers"]["Authorization"] = "Bearer another"
        changed = buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": shown})
        assert changed.status_code == 200, changed.text
        assert buyer.request("PATCH", f"/orders/{order['id']}", {"name": "renamed"}).status_code == 200
        market.make_publisher().post("/leads", market.lead())
        deliver_due(START)
        assert sent_to(endpoint) == ("Bearer another", PIN, PASS)
        assert "Bearer another" not in stored()


def test_what_changes_nothing_makes_no_version(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer, delivery=delivery())
    for change in ({"delivery": order["delivery"]}, {"delivery": delivery()}, {"name": order["name"]}):
        assert buyer.request("PATCH", f"/orders/{order['id']}", change).json["version"] == 1


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"url": "http://127.0.0.1:8/leads"}, {"headers.Authorization", "headers.X-Pin", "fields.partner_key"}),
        ({"headers": {"X-Pin": {"value": "…"}}}, {"headers.X-Pin"}),  # no secret any more: it could be read
        ({"headers": {"X-Pin": "…"}}, {"headers.X-Pin"}),
        ({"headers": {"X-New-Key": "…"}}, {"headers.X-New-Key"}),
        ({"fields": {"partner_key": {"constant": "…", "format": "digits"}}}, {"fields.partner_key"}),
        ({"fields": {"partner_key": {"constant": "…", "values": {"fourfourfour": "guessed"}}}}, {"fields.partner_key"}),
        ({"format": "text", "body": "{{ fields.partner_key | truncate: 4 }}"}, {"fields.partner_key"}),
    ],
)
def test_a_mask_keeps_a_secret_only_as_such_and_for_its_host(
    market: Market, buyer: Member, change: dict[str, Any], fields: set[str]
) -> None:
    order = market.make_order(buyer, delivery=delivery())
    answer = buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": order["delivery"] | change})
    assert answer.status_code == 422
    assert {(error["field"], error["code"]) for error in answer.json["errors"]} == {
        (f"delivery.{field}", "masked_value") for field in fields
    }


def test_a_template_that_reads_no_field_keeps_the_secrets(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer, delivery=delivery())
    change = order["delivery"] | {"format": "text", "body": "{{ contact.email }}"}
    assert buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": change}).status_code == 200


def test_a_secret_in_a_mail_stays_with_whom_it_was_mailed_to(market: Market, buyer: Member) -> None:
    mail = {"kind": "email", "to": "a@crm.example", "fields": {"partner_key": {"constant": PASS}}}
    order = market.make_order(buyer, delivery=mail)
    changed = order["delivery"] | {"to": "b@crm.example"}
    answer = buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": changed})
    assert [error["code"] for error in answer.json["errors"]] == ["masked_value"]


def test_a_mask_where_nothing_is_kept_is_refused(buyer: Member) -> None:
    body = {"name": "x", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"},
            "delivery": delivery(headers={"Authorization": "…"})}  # fmt: skip
    answer = buyer.request("POST", "/orders", body)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json["errors"]] == ["masked_value"]


def test_nobody_can_send_what_looks_sealed(market: Market, buyer: Member) -> None:
    body = {"name": "x", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"},
            "delivery": delivery(headers={"Authorization": {"sealed": "AAAA", "key": 1}})}  # fmt: skip
    assert buyer.request("POST", "/orders", body).status_code == 400
    order = market.make_order(buyer, delivery=delivery())
    rules = {"fields": {"partner_key": {"constant": {"sealed": "AAAA", "key": 1}}}}
    answer = buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": order["delivery"] | rules})
    assert answer.status_code == 400


def test_an_order_from_before_still_delivers_and_is_sealed_with_its_next_change(market: Market, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery=delivery(endpoint.url))
        plain = json.dumps(delivery(endpoint.url))
        for table, column in (("orders", "id"), ("order_versions", "order_id")):
            db.session.execute(
                db.text(f"UPDATE marketplace.{table} SET terms = jsonb_set(terms, '{{delivery}}', CAST(:to AS jsonb))"
                        f" WHERE {column} = :order"),
                {"to": plain, "order": parse_id("ord", order["id"])},
            )  # fmt: skip
        db.session.commit()
        assert buyer.get(f"/orders/{order['id']}")["delivery"]["headers"]["Authorization"] == "…"
        market.make_publisher().post("/leads", market.lead())
        deliver_due(START)
        assert sent_to(endpoint) == (KEY, PIN, PASS)
        assert buyer.request("PATCH", f"/orders/{order['id']}", {"name": "renamed"}).status_code == 200
        now = db.session.execute(
            db.text("SELECT terms::text FROM marketplace.orders WHERE id = :order"),
            {"order": parse_id("ord", order["id"])},
        ).scalar_one()  # fmt: skip
        db.session.rollback()
        assert "q7-very" not in now
        market.make_publisher().post("/leads", market.lead())
        deliver_due(START)
        assert sent_to(endpoint) == (KEY, PIN, PASS)


def test_a_sealed_value_is_of_use_to_its_own_account_only(market: Market, buyer: Member) -> None:
    from_order = market.make_order(buyer, delivery=delivery())
    terms = db.session.execute(
        db.text("SELECT terms FROM marketplace.orders WHERE id = :id"), {"id": parse_id("ord", from_order["id"])}
    ).scalar_one()  # fmt: skip
    db.session.rollback()
    other = parse_id("acc", market.make_buyer().id)
    with pytest.raises(ValueError, match="altered"):
        opened(terms["delivery"], desk().vault, UUID(str(other)))
