"""Bad input gets a problem document that says what to do, and nothing of it is stored but a count."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from core.db import db
from tests.factories import Market, Member

KEPT = ("marketplace.leads", "marketplace.sales", "marketplace.orders", "marketplace.order_versions",
        "marketplace.disputes", "marketplace.events", "billing.transactions", "billing.holds", "core.outbox",
        "core.idempotency", "core.api_keys")  # fmt: skip
NOBODY = "lead_" + "0" * 26


def rows_kept() -> dict[str, int]:
    db.session.rollback()
    return {table: db.session.scalar(db.text(f"SELECT count(*) FROM {table}")) for table in KEPT}


def send(member: Member | None, path: str, raw: bytes, method: str = "POST", **headers: str) -> TestResponse:
    client: FlaskClient = (member or ANYBODY).app.test_client()
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    if member is not None:
        sent["Authorization"] = f"Bearer {member.key}"
    kind = sent.pop("Content-Type", "application/json")
    return client.open(f"/api/v1{path}", method=method, data=raw, content_type=kind, headers=sent)


ANYBODY: Member


@pytest.fixture(autouse=True)
def anybody(market: Market) -> None:
    global ANYBODY  # noqa: PLW0603  # an application to send to without a key
    ANYBODY = Member(market.app, "", "")


def is_problem(response: TestResponse, status: int, *codes: str) -> dict[str, str]:
    """Judge a refusal, and return its faults by field."""
    assert response.status_code == status, (response.status_code, response.text[:500])
    assert response.mimetype == "application/problem+json"
    problem = response.json
    assert problem["status"] == status and problem["title"] and problem["type"] and problem["detail"]
    assert not codes or problem["code"] in codes, problem
    assert all(fault["message"].endswith((".", "}", ")")) for fault in problem["errors"]), problem["errors"]
    return {fault["field"]: fault["code"] for fault in problem["errors"]}


NOT_JSON = {
    "nothing": b"",
    "half a document": b'{"vertical":',
    "two documents": b"{} {}",
    "not a number": b'{"vertical": NaN}',
    "a lone surrogate": b'{"vertical": "\\ud800"}',
    "bytes that are no UTF-8": b'{"vertical": "\xff\xfe"}',
    "another encoding": '{"vertical": "education"}'.encode("utf-16"),
    "100,000 open brackets": b"[" * 100_000,
    "100,000 brackets": b"[" * 100_000 + b"]" * 100_000,
    "100,000 nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}


def test_what_is_not_json_is_malformed_on_every_route_that_reads_a_body(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    order = market.make_order(buyer)
    sale = publisher.post("/leads", market.lead())["sales"][0]
    before = rows_kept()
    for raw in NOT_JSON.values():
        for member, path, method in [
            (publisher, "/leads", "POST"), (buyer, "/orders", "POST"), (buyer, f"/orders/{order['id']}", "PATCH"),
            (buyer, f"/sales/{sale['id']}/disputes", "POST"), (buyer, "/keys", "POST"),
            (operator, f"/publishers/{publisher.id}", "PATCH"),
        ]:  # fmt: skip
            is_problem(send(member, path, raw, method), 400, "not_json")
    assert rows_kept() == before
    counts = {(one["field"], one["code"]): one["refused"] for one in publisher.get("/refusals")["items"]}
    assert counts == {("", "not_json"): len(NOT_JSON)}


def test_json_of_another_shape_is_malformed_with_every_bad_field(market: Market) -> None:
    publisher = market.make_publisher()
    before = rows_kept()
    for raw in (b"null", b"[]", b'"text"', b"5", b"true"):
        is_problem(send(publisher, "/leads", raw), 400, "invalid_fields")
    body = market.lead(
        region=5, comments="a\0b", interest="love", exclusive_only="yes", test=1, unheard_of=True,
        min_price={"amount": 5, "currency": "EUR"}, external_id="x" * 201,
    )  # fmt: skip
    body["contact"] = {"email": 7, "fax": "1"}
    body["consent"] = {"text": "yes", "given_at": "2026-11-22"}
    body["source"] = {"form_seconds": "41", "sub": {"11": "x"}, "cost": {"amount": "1e9", "currency": "EUR"}}
    assert is_problem(send(publisher, "/leads", json.dumps(body).encode()), 400, "invalid_fields") == {
        "region": "wrong_type", "comments": "nul_character", "interest": "not_allowed_value",
        "exclusive_only": "wrong_type", "test": "wrong_type", "unheard_of": "unknown_field",
        "min_price.amount": "wrong_type", "external_id": "too_long", "contact.email": "wrong_type",
        "contact.fax": "unknown_field", "consent.given_at": "not_an_instant", "source.form_seconds": "wrong_type",
        "source.sub.11": "bad_format", "source.cost.amount": "bad_format",
    }  # fmt: skip
    assert rows_kept() == before


def test_a_well_typed_body_that_is_no_lead_is_refused_with_every_fault(market: Market) -> None:
    publisher = market.make_publisher()
    before = rows_kept()
    body = market.lead(region="FR-XYZ", min_price={"amount": "5.001", "currency": "EUR"})
    body["contact"] = {"email": "", "phone": None}
    body["attributes"] = {"occupation": "astronaut", "visits": "3", "unheard_of": 1}
    body["source"] = {"ip": "300.1.1.1", "cost": {"amount": "-1", "currency": "EUR"}}
    body["consent"] = {"text": "yes", "given_at": "0001-01-01T00:00:00Z", "ip": "fe80::1%eth0"}
    assert is_problem(publisher.request("POST", "/leads", body), 422, "invalid_lead") == {
        "region": "unknown_region", "contact": "no_contact_channel", "attributes.occupation": "unknown_value",
        "attributes.visits": "wrong_type", "attributes.unheard_of": "unknown_attribute",
        "min_price.amount": "bad_amount", "source.cost.amount": "negative", "source.ip": "invalid_ip",
        "consent.given_at": "absurd_instant", "consent.ip": "invalid_ip",
    }  # fmt: skip
    unknown = is_problem(publisher.request("POST", "/leads", market.lead(vertical="nonsense")), 422)
    assert unknown == {"vertical": "unknown_vertical"}
    dollars = market.lead(min_price={"amount": "5.00", "currency": "USD"})
    assert is_problem(publisher.request("POST", "/leads", dollars), 422) == {"min_price.currency": "wrong_currency"}
    assert rows_kept() == before


def test_an_order_that_cannot_be_kept_is_refused_with_every_fault(market: Market) -> None:
    buyer = market.make_buyer()
    before = rows_kept()
    body = {
        "name": " ", "vertical": "education", "price": {"amount": "-5.00", "currency": "EUR"}, "regions": ["FR", "XX"],
        "exclusivity": "sometimes", "min_score": 101, "temperatures": ["lukewarm"], "status": "asleep",
        "filters": [{"field": "attributes.shoe", "op": "eq", "value": 1}, {"field": "channel", "op": "like", "value": 1},
                    {"field": "channel", "op": "in", "value": []}, {"field": "contact.email", "op": "eq", "value": "a"},
                    {"field": "channel", "op": "matches", "value": "("}],
        "caps": {"day": 0}, "budget": {"day": {"amount": "1e9", "currency": "EUR"}},
        "schedule": {"timezone": "Mars/Olympus", "windows": [{"days": [], "from": "25:00", "to": "x"}]},
    }  # fmt: skip
    assert is_problem(buyer.request("POST", "/orders", body), 422, "invalid_order") == {
        "name": "invalid_name", "price.amount": "not_positive", "regions.1": "unknown_region",
        "exclusivity": "unknown_value", "min_score": "out_of_range", "temperatures.0": "unknown_value",
        "status": "unknown_value", "filters.0.field": "unknown_field", "filters.1.op": "unknown_value",
        "filters.2.value": "invalid_value", "filters.3.op": "op_not_allowed", "filters.4.value": "invalid_pattern",
        "caps.day": "out_of_range", "budget.day.amount": "invalid_amount", "schedule.timezone": "unknown_timezone",
        "schedule.windows.0.days": "required", "schedule.windows.0.from": "invalid_time",
        "schedule.windows.0.to": "invalid_time",
    }  # fmt: skip
    for amount, currency, code in [("20.001", "EUR", "invalid_amount"), ("1e9", "EUR", "invalid_amount"),
                                   ("20.00", "USD", "wrong_currency"), ("20.00", "XXX", "unknown_currency"),
                                   ("4.19", "EUR", "below_minimum_price"), ("٢٠", "EUR", "invalid_amount")]:  # fmt: skip
        priced = {"name": "o", "vertical": "education", "price": {"amount": amount, "currency": currency}}
        assert code in is_problem(buyer.request("POST", "/orders", priced), 422, "invalid_order").values()
    typed = {"name": 1, "vertical": "education", "price": {"amount": 20, "currency": "EUR"}, "caps": {"day": "50"}}
    assert is_problem(buyer.request("POST", "/orders", typed), 400, "invalid_fields") == {
        "name": "wrong_type", "price.amount": "wrong_type", "caps.day": "wrong_type"}  # fmt: skip
    misspelt = {"name": "o", "vertical": "education", "price": {"amount": "20", "currency": "EUR"}, "cap": {"day": 1}}
    assert is_problem(buyer.request("POST", "/orders", misspelt), 400) == {"cap": "unknown_field"}
    assert rows_kept() == before


def test_a_body_too_large_or_of_another_type_is_refused_unread(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    before = rows_kept()
    for member, path in ((publisher, "/leads"), (buyer, "/orders"), (buyer, "/keys")):
        is_problem(send(member, path, b" " * 10_000_000), 413, "too_large")
        is_problem(send(member, path, b" " * 1_000_001), 413, "too_large")
        is_problem(send(member, path, b" " * 1_000_000), 400, "not_json")
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"):
            is_problem(send(member, path, b"a=1", Content_Type=kind), 415, "unsupported_media_type")
    is_problem(send(publisher, "/leads/batch", b"x", Content_Type="application/pdf"), 415, "unsupported_media_type")
    assert rows_kept() == before


def test_who_may_not_is_told_so(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    before = rows_kept()
    for path in ("/leads", "/orders", "/keys", "/leads/batch"):
        for header in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "},
                       {"Authorization": "Bearer lb_unknown"}, {"Authorization": "Bearer \xff" + "x" * 10_000}):  # fmt: skip
            refused = send(None, path, b"{}", **header)
            is_problem(refused, 401, "no_key", "unknown_key")
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    is_problem(publisher.request("POST", "/orders", {}), 403, "scope_missing")
    is_problem(buyer.request("POST", "/leads", market.lead()), 403, "scope_missing")
    is_problem(buyer.request("PATCH", f"/publishers/{publisher.id}", {}), 403, "scope_missing")
    is_problem(publisher.request("GET", "/wallet"), 403, "scope_missing")
    assert rows_kept() == before


def test_somebody_elses_rows_and_ids_that_cannot_exist_are_not_found(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    order = market.make_order(buyer)
    lead = publisher.post("/leads", market.lead())
    sale_id = lead["sales"][0]["id"]
    dispute = buyer.post(f"/sales/{sale_id}/disputes", {"reason": "bot"})
    other_publisher, other_buyer = market.make_publisher(), market.make_buyer("0")
    before = rows_kept()
    key_id = buyer.get("/keys")["items"][0]["id"]
    for member, method, path, body in [
        (other_publisher, "GET", f"/leads/{lead['id']}", None), (other_publisher, "GET", f"/leads/{lead['id']}/why", None),
        (other_buyer, "GET", f"/leads/{lead['id']}/why", None), (other_buyer, "GET", f"/orders/{order['id']}", None),
        (other_buyer, "PATCH", f"/orders/{order['id']}", {"status": "paused"}),
        (other_buyer, "GET", f"/sales/{sale_id}", None), (other_buyer, "POST", f"/sales/{sale_id}/disputes", {"reason": "bot"}),
        (other_buyer, "DELETE", f"/keys/{key_id}", None), (operator, "PATCH", f"/publishers/{buyer.id}", {}),
    ]:  # fmt: skip
        is_problem(member.request(method, path, body), 404, "not_found")
    for text in ("1", "lead_", NOBODY, "lead_" + "z" * 26, "lead_" + "U" * 26, "ord_" + "0" * 26, "%00", "a%00b",
                 "%ff%fe", "lead_%F0%9F%98%80", "x" * 3000, lead["id"].upper(), "..%2f..", "'; DROP TABLE leads"):  # fmt: skip
        is_problem(publisher.request("GET", f"/leads/{text}"), 404, "not_found")
        is_problem(publisher.request("GET", f"/leads/{text}/why"), 404, "not_found")
        is_problem(buyer.request("POST", f"/sales/{text}/disputes", {"reason": "bot"}), 404, "not_found")
        is_problem(buyer.request("GET", f"/verticals/{text}"), 404, "not_found")
    assert rows_kept() == before
    assert operator.get("/disputes")["items"][0]["id"] == dispute["id"]
    assert other_buyer.get("/disputes")["items"] == other_publisher.get("/disputes")["items"] == []


def test_unknown_addresses_and_methods_are_problems_too(market: Market) -> None:
    buyer = market.make_buyer("0")
    for path in ("/nothing", "/orders/", "//orders", "/leads/a/b/c", "/%00", ""):
        is_problem(buyer.request("GET", path), 404, "not_found")
    for method, path in (("DELETE", "/orders"), ("PUT", "/leads"), ("PATCH", "/wallet"), ("OPTIONS", "/orders")):
        refused = buyer.request(method, path)
        is_problem(refused, 405, "method_not_allowed")
        assert "GET" in refused.headers["Allow"]
    assert send(None, "/nothing", b"", "BREW").mimetype == "application/problem+json"


def test_only_json_is_answered(market: Market) -> None:
    buyer = market.make_buyer()
    before = rows_kept()
    body = {"name": "o", "vertical": "education", "price": {"amount": "20", "currency": "EUR"}}
    for wanted in ("text/html", "application/xml;q=0.9, text/*", "application/json;q=0", "garbage"):
        is_problem(buyer.request("POST", "/orders", body, Accept=wanted), 406, "not_acceptable")
    assert rows_kept() == before
    for wanted in ("*/*", "application/*", "text/html, */*;q=0.1", "application/json; charset=utf-8", ""):
        assert buyer.request("GET", "/orders", Accept=wanted).mimetype == "application/json"


UNUSABLE_PAGES = {
    "limit=0": {"limit"}, "limit=201": {"limit"}, "limit=-1": {"limit"}, "limit=": {"limit"}, "limit=1e2": {"limit"},
    "limit=²": {"limit"}, f"limit={'9' * 5000}": {"limit"}, "limit=%00": {"limit"}, "cursor=nonsense": {"cursor"},
    "cursor=%00": {"cursor"}, f"cursor={NOBODY}": {"cursor"}, "limit=x&cursor=y": {"limit", "cursor"},
    "state=nonsense": {"state"}, "state=%00": {"state"},
}  # fmt: skip


def test_pages_that_cannot_be_shown_are_malformed(market: Market) -> None:
    buyer = market.make_buyer("0")
    for query, faults in UNUSABLE_PAGES.items():
        assert set(is_problem(buyer.request("GET", f"/sales?{query}"), 400)) == faults, query


def test_queries_full_of_garbage_are_malformed_or_ignored(market: Market) -> None:
    buyer, publisher = market.make_buyer("0"), market.make_publisher()
    for path in (
        "/regions",
        "/regions?country=",
        "/regions?country=fr",
        "/regions?country=FR-IDF",
        "/regions?country=%00",
    ):
        assert set(is_problem(buyer.request("GET", path), 400)) == {"country"}
    assert set(is_problem(buyer.request("GET", "/wallet?currency=%00"), 400)) == {"currency"}
    assert set(is_problem(publisher.request("GET", "/balance?currency=eur"), 400)) == {"currency"}
    assert set(is_problem(publisher.request("GET", "/leads?status=gone"), 400)) == {"status"}
    assert set(is_problem(publisher.request("GET", "/leads?test=maybe"), 400)) == {"test"}
    lead = publisher.post("/leads", market.lead())
    for cursor in ("x", "-1", "9" * 5000, "%00"):
        is_problem(publisher.request("GET", f"/leads/{lead['id']}/why?cursor={cursor}"), 400, "bad_page")
    assert publisher.get("/leads?&&=&%ff=%00&a[b]=1&limit=1&limit=x")["items"]


def test_odd_headers_are_refused_or_ignored(market: Market) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer)
    before = rows_kept()
    for key in ("", " ", "x" * 256, "ü", '""', "a\tb"):
        is_problem(buyer.request("POST", "/keys", {}, Idempotency_Key=key), 400, "bad_idempotency_key")
    for version in ("x", '"x"', 'W/"1"', "1" * 5000, '"-1"', "²"):
        is_problem(buyer.request("PATCH", f"/orders/{order['id']}", {}, If_Match=version), 400, "bad_if_match")
    changed = buyer.request("PATCH", f"/orders/{order['id']}", {"name": "x"}, If_Match='"7"')
    is_problem(changed, 409, "version_changed")
    assert rows_kept() == before
    assert buyer.request("GET", "/orders", X_Large="x" * 100_000, Cookie="a=b; c").status_code == 200
    assert buyer.request("PATCH", f"/orders/{order['id']}", {"name": "x"}, If_Match='"1"').headers["ETag"] == '"2"'
    assert buyer.request("PATCH", f"/orders/{order['id']}", {"name": "y"}, If_Match="*").json["version"] == 3


WORDS = ("amount", "currency", "day", "field", "op", "value", "timezone", "windows", "days", "from", "to", "kind",
         "first_name", "email", "phone", "given_at", "text", "sub", "ip", "1")  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=10)
    | st.sampled_from(["EUR", "education", "FR", "cpl", "none", "eq", "active", "2026-11-22T10:00:00Z", "\0", "12.50"])
)  # fmt: skip
shallow = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=6), scalars, max_size=3)
anything = shallow | st.lists(shallow, max_size=3) | st.dictionaries(st.sampled_from(WORDS), shallow, max_size=5)
FIELDS = ("vertical", "region", "contact", "attributes", "source", "consent", "min_price", "name", "price", "regions",
          "filters", "caps", "budget", "schedule", "delivery", "hold", "reason", "note", "evidence", "decision",
          "standing", "scopes", "max_share", "min_score", "rate_bp", "temperatures", "action", "model")  # fmt: skip
documents = anything | st.dictionaries(st.sampled_from(FIELDS), anything, max_size=8)


def test_no_json_whatever_is_a_fault_of_ours(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    order = market.make_order(buyer)
    sale = publisher.post("/leads", market.lead())["sales"][0]
    dispute = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})
    good_order = {"name": "o", "vertical": "education", "price": {"amount": "20", "currency": "EUR"}}
    routes: list[tuple[Member, str, str, dict[str, Any]]] = [
        (publisher, "POST", "/leads", market.lead()), (publisher, "POST", "/leads/batch", market.lead()),
        (buyer, "POST", "/orders", good_order), (buyer, "PATCH", f"/orders/{order['id']}", {}),
        (buyer, "POST", f"/sales/{sale['id']}/disputes", {"reason": "bot"}), (buyer, "POST", "/keys", {"name": "k"}),
        (operator, "POST", f"/disputes/{dispute['id']}/resolve", {"decision": "maybe"}),
        (operator, "PATCH", f"/publishers/{publisher.id}", {}),
    ]  # fmt: skip

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(routes), documents, st.booleans())
    def post(route: tuple[Member, str, str, dict[str, Any]], document: Any, over_a_good_one: bool) -> None:
        member, method, path, good = route
        if over_a_good_one and isinstance(document, dict):
            document = {**good, **document}
        response = send(member, path, json.dumps(document).encode(), method)
        assert response.status_code < 500, (path, document, response.text)
        if response.status_code >= 400:
            is_problem(response, response.status_code)

    post()


def test_deep_nesting_where_anything_is_allowed_is_kept_or_refused(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    for depth in (50, 400, 900, 990, 1000, 2000, 20_000):
        sale = publisher.post("/leads", market.lead())["sales"][0]
        nested = b"[" * depth + b"]" * depth
        for path, raw in [
            (f"/sales/{sale['id']}/disputes", b'{"reason":"bot","evidence":%s}' % nested),
            ("/orders", b'{"name":"o","vertical":"education","hold":{"a":%s}}' % nested),
            ("/orders", b'{"name":"o","vertical":"education","price":{"amount":"20","currency":"EUR"},'
                        b'"filters":[{"field":"channel","op":"in","value":%s}]}' % nested),
        ]:  # fmt: skip
            assert send(buyer, path, raw).status_code in (201, 400, 422), depth
    assert buyer.request("GET", "/disputes").status_code == 200
