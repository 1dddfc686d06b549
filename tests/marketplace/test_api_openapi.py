"""The OpenAPI document says what the program does: its routes, its bodies, and its very answers."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.catalog.verticals import read_shipped
from marketplace.jobs import run_due
from tests.factories import Market, Member
from tests.json_schema import check_schema, faults_in

Document = dict[str, Any]


@pytest.fixture
def document(client: FlaskClient) -> Document:
    response = client.get("/api/openapi.json")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    made: Document = response.json or {}
    return made


def operations(document: Document) -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): about
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    }


def test_every_route_is_in_the_document_and_nothing_else(app: Flask, document: Document) -> None:
    routes = {
        (method, re.sub(r"<([a-z_]+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }
    assert routes == set(operations(document))


def test_the_document_is_sound(document: Document) -> None:
    assert document["openapi"].startswith("3.1.") and document["info"]["title"] and document["info"]["version"]
    for schema in document["components"]["schemas"].values():
        check_schema(schema, document)
    names = [about["operationId"] for about in operations(document).values()]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in document["tags"]}
    for (_, path), about in operations(document).items():
        inside = [one["name"] for one in about["parameters"] if one["in"] == "path"]
        assert inside == re.findall(r"{([a-z_]+)}", path)
        assert set(about["tags"]) <= tags and about["summary"].endswith(".") and about["responses"]
        contents = [one["content"] for one in about["responses"].values()]
        for content in [*contents, about.get("requestBody", {}).get("content", {})]:
            for media in content.values():
                check_schema(media["schema"], document)
        assert all(one["description"] for one in about["responses"].values())


def test_every_post_takes_an_idempotency_key(document: Document) -> None:
    for (method, path), about in operations(document).items():
        takes = any(one["name"] == "Idempotency-Key" for one in about["parameters"])
        assert takes is (method == "POST"), path


def test_an_unknown_field_is_told_the_fields_of_the_document(market: Market, document: Document) -> None:
    members = {
        "leads:write": market.make_publisher(),
        "orders:write": market.make_buyer("0"),
        "operate": market.make_operator(),
    }
    members["sales:write"] = members["orders:write"]
    members["payouts:write"] = members["leads:write"]
    members |= dict.fromkeys(
        ("disputes:write", "wallet:write", "keys:manage", "webhooks:manage"), members["orders:write"]
    )
    for (method, path), about in operations(document).items():
        schema = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if "$ref" not in schema:
            continue
        fields = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
        address = re.sub(r"{([a-z]+)_id}", lambda name: an_id(name[1]), path.removeprefix("/api/v1"))
        refused = members[about["x-scopes"][0]].request(method, address, {"nonsense": 1})
        assert refused.status_code in (400, 404), refused.text
        if refused.status_code == 400:
            fault = next(fault for fault in refused.json["errors"] if fault["field"] == "nonsense")
            assert fault["message"] == f"Remove it; known here: {', '.join(fields)}."


def an_id(name: str) -> str:
    prefix = {"order": "ord", "dispute": "dsp", "publisher": "acc"}.get(name, name)
    return f"{prefix}_{'0' * 26}"


Check = Callable[..., None]


@pytest.fixture
def check(document: Document) -> Check:
    """Give a check that an answer has the shape that the document says."""

    def compare(method: str, path: str, answer: Any, status: str = "200") -> None:
        content = operations(document)[method, f"/api/v1{path}"]["responses"][status]["content"]
        schema = content["application/json"]["schema"]
        assert list(faults_in(answer, schema, document)) == []
        assert names_missing(answer, schema, document) == []

    return compare


def test_answers_about_leads_have_the_shapes_of_the_document(market: Market, check: Check) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    schedule = {"timezone": "Europe/Paris", "windows": [{"days": ["sun"], "from": "00:00", "to": "24:00"}]}
    order = market.make_order(buyer, caps={"day": 2}, budget={"total": {"amount": "90.00", "currency": "EUR"}},
                              filters=[{"field": "channel", "op": "in", "value": ["search"]}], schedule=schedule)  # fmt: skip
    lead = publisher.post("/leads", market.lead())
    sale_id = lead["sales"][0]["id"]
    check("POST", "/orders", order, "201")
    check("PATCH", "/orders/{order_id}", buyer.request("PATCH", f"/orders/{order['id']}", {"name": "other"}).json)
    check("POST", "/leads", lead, "201")
    rows = f"{json.dumps(market.lead())}\n{{}}\n".encode()
    batch = post_bytes(publisher, "/leads/batch", rows, "application/x-ndjson")
    assert [row["status"] for row in batch["items"]] == ["sold", "refused"]
    check("POST", "/leads/batch", batch)
    dispute = buyer.post(f"/sales/{sale_id}/disputes", {"reason": "bot"})
    check("POST", "/sales/{sale_id}/disputes", dispute, "201")
    check("GET", "/sales/{sale_id}", buyer.get(f"/sales/{sale_id}"))
    said = buyer.post(f"/sales/{sale_id}/disposition", {"status": "contacted", "follow_up_at": "2026-12-01T10:00:00Z"})
    check("POST", "/sales/{sale_id}/disposition", said, "201")
    run_due(market.clock.now())
    for member, path, address in [
        (publisher, "/leads", "/leads"), (publisher, "/leads/{lead_id}", f"/leads/{lead['id']}"),
        (operator, "/leads/{lead_id}/why", f"/leads/{lead['id']}/why"), (publisher, "/refusals", "/refusals"),
        (buyer, "/orders", "/orders"), (buyer, "/orders/{order_id}", f"/orders/{order['id']}"),
        (buyer, "/sales", "/sales"), (buyer, "/sales/{sale_id}", f"/sales/{sale_id}"),
        (operator, "/disputes", "/disputes"), (buyer, "/wallet", "/wallet"), (publisher, "/balance", "/balance"),
        (buyer, "/verticals", "/verticals"), (buyer, "/verticals/{slug}", "/verticals/education"),
        (buyer, "/sales/{sale_id}/dispositions", f"/sales/{sale_id}/dispositions"),
        (buyer, "/follow-ups", "/follow-ups"), (buyer, "/reports/contact-speed", "/reports/contact-speed"),
        (buyer, "/reports/contact-speed", "/reports/contact-speed?by=hour"),
        (publisher, "/reports/contact-rate", "/reports/contact-rate"),
        (buyer, "/contact-rules/{country}", "/contact-rules/US"), (buyer, "/regions", "/regions?country=FR"), (buyer, "/keys", "/keys"),
    ]:  # fmt: skip
        check("GET", path, member.get(address))
    decided = operator.post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    check("POST", "/disputes/{dispute_id}/resolve", decided)
    check("GET", "/sales/{sale_id}", buyer.get(f"/sales/{sale_id}"))
    paused = operator.request("PATCH", f"/publishers/{publisher.id}", {"standing": "paused"}).json
    check("PATCH", "/publishers/{publisher_id}", paused)
    loan = read_shipped("personal-loan").as_mapping()
    check("POST", "/verticals", operator.post("/verticals", loan | {"slug": "loan"}), "201")
    changed = operator.request("PUT", "/verticals/personal-loan", loan | {"version": 2, "dedupe_days": 40}).json
    check("PUT", "/verticals/{slug}", changed)


def test_answers_about_keys_and_news_have_the_shapes_of_the_document(market: Market, check: Check) -> None:
    buyer = market.make_buyer("0")
    key = buyer.post("/keys", {"name": "second"})
    check("POST", "/keys", key, "201")
    check("DELETE", "/keys/{key_id}", buyer.request("DELETE", f"/keys/{key['id']}").json)
    webhook = buyer.post("/webhooks", {"url": "https://hooks.example.com/"})
    check("POST", "/webhooks", webhook, "201")
    check("GET", "/webhooks", buyer.get("/webhooks"))
    tested = buyer.post(f"/webhooks/{webhook['id']}/test")
    check("POST", "/webhooks/{webhook_id}/test", tested, "201")
    check("GET", "/webhooks/{webhook_id}/deliveries", buyer.get(f"/webhooks/{webhook['id']}/deliveries"))
    check("PATCH", "/notifications", buyer.request("PATCH", "/notifications", {"daily_mail": True}).json)
    check("GET", "/notifications", buyer.get("/notifications"))


def post_bytes(member: Member, path: str, raw: bytes, kind: str) -> Any:
    headers = {"Authorization": f"Bearer {member.key}"}
    return member.app.test_client().post(f"/api/v1{path}", data=raw, content_type=kind, headers=headers).json


def names_missing(value: Any, schema: dict[str, Any], document: Document) -> list[str]:
    """Name what an answer has beyond its shape: shapes are open for clients' sake, answers are exact."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict) and "properties" in schema:
        return sorted(set(value) - set(schema["properties"]))
    return []


def test_a_refusal_has_the_shape_of_a_problem(market: Market, document: Document) -> None:
    refused = market.make_publisher().request("POST", "/leads", {"vertical": 5}).json
    assert list(faults_in(refused, {"$ref": "#/components/schemas/Problem"}, document)) == []


def test_the_examples_fit_the_schemas_and_are_accepted(market: Market, document: Document) -> None:
    publisher = market.make_publisher()
    shown = publisher.get("/verticals/education")
    media = document["paths"]["/api/v1/leads"]["post"]["requestBody"]["content"]["application/json"]
    for example in (shown["example"], media["example"]):
        assert list(faults_in(example, media["schema"], document)) == []
    check_schema(shown["schema"], shown["schema"])
    assert list(faults_in(shown["example"]["attributes"], shown["schema"], shown["schema"])) == []
    market.make_order(market.make_buyer())
    assert publisher.post("/leads", shown["example"])["status"] == "sold"


@pytest.mark.parametrize("path", ["/", "/api/docs"])
def test_the_pages_load_nothing_from_other_hosts_and_allow_nothing_inline(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=", page.text)
    for address in re.findall(r'(?:src|href)="(/[^"#]*)"', page.text):
        with client.get(address) as loaded:
            assert loaded.status_code == 200, address
    anchors = set(re.findall(r'href="#([^"]+)"', page.text))
    assert anchors <= set(re.findall(r'id="([^"]+)"', page.text))


def test_the_docs_show_every_operation_and_every_shape(client: FlaskClient, document: Document) -> None:
    page = client.get("/api/docs").text
    for about in operations(document).values():
        assert f'id="{about["operationId"]}"' in page
    for name in document["components"]["schemas"]:
        assert f'id="shape-{name}"' in page
