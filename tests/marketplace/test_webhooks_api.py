"""Webhooks over HTTP: an account's own, checked when saved, with a log that can be read and replayed."""

import base64
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask import Flask

from core.db import db, transaction
from core.notifications import send_due, write_notices
from core.outbound import Outbound
from core.signatures import is_secret
from tests.conftest import SetClock
from tests.core.endpoints import Endpoint, answers, running
from tests.factories import Market, Member

URL = "https://hooks.example.com/in"


@pytest.fixture
def endpoint(app: Flask) -> Iterator[Endpoint]:
    """Give an endpoint on this machine, which the application may call."""
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    with running(answers(200, b"thanks")) as made:
        yield made


def carry_news() -> None:
    """Do what the relay and the worker do with the outbox."""
    with transaction() as session:
        rows = session.execute(db.text("DELETE FROM core.outbox RETURNING id, payload")).all()
    write_notices([{"id": row.id, **row.payload} for row in rows])


@pytest.mark.parametrize("kind", ["publisher", "buyer", "operator"])
def test_every_kind_of_account_adds_reads_changes_and_deletes_webhooks(market: Market, kind: str) -> None:
    member = market.make(kind)
    made = member.request("POST", "/webhooks", {"url": URL})
    assert made.status_code == 201 and made.json["id"].startswith("whk_") and is_secret(made.json["secret"])
    assert (made.json["events"], made.json["enabled"], made.json["failing_since"]) == (None, True, None)
    assert member.get("/webhooks") == {"items": [made.json], "next_cursor": None}
    path = f"/webhooks/{made.json['id']}"
    changed = member.request("PATCH", path, {"events": ["lead.sold"], "enabled": False}).json
    assert (changed["events"], changed["enabled"], changed["disabled_reason"]) == (["lead.sold"], False, "by_hand")
    changed = member.request("PATCH", path, {"events": [], "enabled": True, "new_secret": True}).json
    assert (changed["events"], changed["enabled"], changed["disabled_at"]) == (None, True, None)
    assert is_secret(changed["secret"]) and changed["secret"] != made.json["secret"]
    assert member.request("DELETE", path).status_code == 200
    assert member.get("/webhooks")["items"] == [] and member.request("PATCH", path, {}).status_code == 404


def test_a_secret_of_ones_own_is_kept(market: Market) -> None:
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    assert market.make_buyer("0").post("/webhooks", {"url": URL, "secret": secret})["secret"] == secret


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com/", "https://127.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://127.1/",
     "https://localhost/", "https://user:pass@hooks.example.com/", "ftp://hooks.example.com/", "", "nonsense",
     "https://hooks.example.com/\r\nX-Evil: 1", "https://hooks.example.com:22/"],
)  # fmt: skip
def test_a_target_that_may_not_be_called_is_refused_when_saved(market: Market, url: str) -> None:
    buyer = market.make_buyer("0")
    good = buyer.post("/webhooks", {"url": URL})
    for method, path in (("POST", "/webhooks"), ("PATCH", f"/webhooks/{good['id']}")):
        refused = buyer.request(method, path, {"url": url})
        assert (refused.status_code, refused.json["code"]) == (422, "invalid_webhook")
        assert [(one["field"], one["code"]) for one in refused.json["errors"]] == [("url", "target_refused")]
    assert buyer.get("/webhooks")["items"] == [good]


def test_all_bad_fields_are_named_at_once(market: Market) -> None:
    said = {"url": "http://x", "events": ["lead.sold", "lead.eaten"], "secret": "whsec_short"}
    refused = market.make_buyer("0").request("POST", "/webhooks", said).json
    assert [one["field"] for one in refused["errors"]] == ["url", "events.1", "secret"]


def test_an_account_has_a_largest_number_of_webhooks(market: Market) -> None:
    buyer = market.make_buyer("0")
    made = [buyer.post("/webhooks", {"url": URL}) for _ in range(20)]
    refused = buyer.request("POST", "/webhooks", {"url": URL})
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_webhooks")
    buyer.request("DELETE", f"/webhooks/{made[0]['id']}")
    assert buyer.request("POST", "/webhooks", {"url": URL}).status_code == 201


def test_somebody_elses_webhook_is_not_there(market: Market) -> None:
    made, eve = market.make_buyer("0").post("/webhooks", {"url": URL}), market.make_buyer("0")
    path = f"/webhooks/{made['id']}"
    assert eve.get("/webhooks")["items"] == []
    for method, address in (
        ("PATCH", path), ("DELETE", path), ("GET", f"{path}/deliveries"), ("POST", f"{path}/test"),
        ("POST", f"{path}/deliveries/del_00000000000000000000000000/replay"),
    ):  # fmt: skip
        assert eve.request(method, address, {} if method != "GET" else None).status_code == 404, address


def test_a_key_needs_the_scope(market: Market) -> None:
    buyer = market.make_buyer("0")
    lesser = Member(buyer.app, buyer.id, buyer.post("/keys", {"scopes": ["orders:read"]})["api_key"])
    assert lesser.request("POST", "/webhooks", {"url": URL}).json["code"] == "scope_missing"
    assert lesser.request("GET", "/webhooks").status_code == 403


def test_the_same_idempotency_key_adds_one_webhook(market: Market) -> None:
    buyer = market.make_buyer("0")
    made = [buyer.post("/webhooks", {"url": URL}, Idempotency_Key="one") for _ in range(2)]
    assert made[0] == made[1] and len(buyer.get("/webhooks")["items"]) == 1


def test_a_test_goes_out_and_its_log_is_read(market: Market, clock: SetClock, endpoint: Endpoint) -> None:
    buyer = market.make_buyer("0")
    path = f"/webhooks/{buyer.post('/webhooks', {'url': endpoint.url})['id']}"
    made = buyer.request("POST", f"{path}/test")
    assert (made.status_code, made.json["event"], made.json["state"]) == (201, "webhook.test", "waiting")
    assert send_due(clock.now()) == 1 and b'"type":"webhook.test"' in endpoint.heard[0]
    (shown,) = buyer.get(f"{path}/deliveries?state=delivered")["items"]
    assert shown["id"] == made.json["id"] and shown["next_attempt_at"] is None
    (attempt,) = shown["attempts"]
    assert (attempt["status"], attempt["answer"], attempt["error"]) == (200, "thanks", None)
    again = buyer.request("POST", f"{path}/deliveries/{shown['id']}/replay")
    assert (again.status_code, again.json["state"]) == (200, "waiting")
    assert send_due(clock.now()) == 1
    assert len(buyer.get(f"{path}/deliveries")["items"][0]["attempts"]) == 2


def test_nothing_is_sent_to_a_disabled_webhook_by_hand_either(market: Market) -> None:
    buyer = market.make_buyer("0")
    path = f"/webhooks/{buyer.post('/webhooks', {'url': URL})['id']}"
    made = buyer.post(f"{path}/test")
    buyer.request("PATCH", path, {"enabled": False})
    for address in (f"{path}/test", f"{path}/deliveries/{made['id']}/replay"):
        refused = buyer.request("POST", address)
        assert (refused.status_code, refused.json["code"]) == (409, "webhook_disabled")


def test_deliveries_come_in_pages(market: Market) -> None:
    buyer = market.make_buyer("0")
    path = f"/webhooks/{buyer.post('/webhooks', {'url': URL})['id']}"
    ids = [buyer.post(f"{path}/test")["id"] for _ in range(3)]
    first = buyer.get(f"{path}/deliveries?limit=2")
    second = buyer.get(f"{path}/deliveries?limit=2&cursor={first['next_cursor']}")
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert buyer.request("GET", f"{path}/deliveries?state=lost").status_code == 400


def test_what_happens_in_the_market_arrives_with_ids_as_the_api_shows_them(
    market: Market, clock: SetClock, endpoint: Endpoint
) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    for member in (publisher, buyer):
        member.post("/webhooks", {"url": endpoint.url})
    market.make_order(buyer)
    lead = publisher.post("/leads", market.lead())
    dispute = buyer.post(f"/sales/{lead['sales'][0]['id']}/disputes", {"reason": "bot"})
    carry_news()
    assert send_due(clock.now()) == len(endpoint.heard)
    bodies: list[Any] = [msgspec.json.decode(raw.partition(b"\r\n\r\n")[2]) for raw in endpoint.heard]
    sold = [one["data"] for one in bodies if one["type"] == "lead.sold"]
    disputed = [one["data"] for one in bodies if one["type"] == "sale.disputed"]
    assert [one["lead"] for one in sold] == [lead["id"]] * 2
    assert {(one["sale"], one.get("dispute", dispute["id"])) for one in disputed} == {
        (lead["sales"][0]["id"], dispute["id"])
    }
