"""The contract, route by route: what clients may rely on, seen over HTTP."""

import json
from typing import Any

from core.clock import as_rfc3339
from tests.conftest import SetClock
from tests.factories import Market, Member


def test_a_lead_is_answered_as_the_contract_has_it(market: Market) -> None:
    publisher = market.make_publisher()
    market.make_order(market.make_buyer())
    answer = publisher.request("POST", "/leads", market.lead(external_id="mine-1"))
    lead = answer.json
    assert answer.status_code == 201 and lead["id"].startswith("lead_") and lead["status"] == "sold"
    assert lead["contact_class"] in ("quick", "registration", "promotional", "interested")
    assert lead["temperature"] in ("cold", "warm", "hot") and 0 <= lead["score"] <= 100
    assert (lead["reasons"], lead["payout"]) == ([], {"amount": "14.00", "currency": "EUR"})
    assert lead["redirect_url"] is None and lead["test"] is False
    assert lead["links"] == {"self": f"/api/v1/leads/{lead['id']}", "why": f"/api/v1/leads/{lead['id']}/why"}
    (sale,) = lead["sales"]
    assert sale["id"].startswith("sale_") and (sale["model"], sale["state"]) == ("cpl", "delivered")
    assert (sale["price"]["amount"], sale["payout"]["amount"]) == ("20.00", "14.00")
    assert sale["release_at"] == "2026-12-22T10:00:00Z"
    shown = publisher.get(lead["links"]["self"].removeprefix("/api/v1"))
    assert shown["external_id"] == "mine-1" and shown["contact"]["first_name"] == "Ada"
    assert {name: shown[name] for name in lead} == lead
    assert publisher.get("/leads")["items"][0]["contact"] is None


def test_every_status_can_be_asked_for(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("20.00")
    market.make_order(buyer)
    statuses = [publisher.post("/leads", market.lead(**more))["status"] for more in ({}, {}, {"consent": None})]
    assert statuses == ["sold", "unsold", "rejected"]
    for status in statuses:
        assert [one["status"] for one in publisher.get(f"/leads?status={status}")["items"]] == [status]
    assert publisher.get("/leads?status=pending")["items"] == []


def test_a_minimum_price_and_exclusivity_bind(market: Market) -> None:
    publisher, buyer, other = market.make_publisher(), market.make_buyer(), market.make_buyer()
    market.make_order(buyer, "10.00", exclusivity="shared", max_share=2)
    market.make_order(other, "9.00", exclusivity="shared", max_share=2)
    assert len(publisher.post("/leads", market.lead())["sales"]) == 2
    alone = publisher.post("/leads", market.lead(exclusive_only=True))
    assert alone["sales"] == [] or len(alone["sales"]) == 1
    dear = publisher.post("/leads", market.lead(min_price={"amount": "30.00", "currency": "EUR"}))
    assert dear["status"] == "unsold" and dear["payout"] is None
    outcomes = {one["outcome"] for one in publisher.get(f"/leads/{dear['id']}/why")["items"]}
    assert outcomes == {"below_min"}


def test_a_test_lead_goes_through_everything_and_costs_nobody_anything(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("100.00")
    market.make_order(buyer, caps={"total": 1})
    body = market.lead(test=True)
    tried = publisher.post("/leads", body)
    assert (tried["test"], tried["sales"], tried["payout"]) == (True, [], None)
    assert tried["status"] == "unsold" and "test" in tried["reasons"]
    assert buyer.get("/wallet")["available"]["amount"] == "100.00" and buyer.get("/sales")["items"] == []
    assert publisher.get("/leads")["items"] == publisher.get("/leads?test=false")["items"] == []
    assert [one["id"] for one in publisher.get("/leads?test=true")["items"]] == [tried["id"]]
    assert publisher.post("/leads", {**body, "test": False})["status"] == "sold"  # neither duplicate nor capped


def test_why_shows_each_side_what_it_may_know(market: Market) -> None:
    publisher, operator = market.make_publisher(), market.make_operator()
    rich, poor, far = market.make_buyer(), market.make_buyer("0"), market.make_buyer()
    sold = market.make_order(rich, "20.00")
    broke = market.make_order(poor, "25.00")
    abroad = market.make_order(far, "30.00", regions=["DE"])
    lead = publisher.post("/leads", market.lead())
    path = f"/leads/{lead['id']}/why"

    everything = operator.get(path)["items"]
    assert [one["order"] for one in everything] == [broke["id"], sold["id"], abroad["id"]]
    assert [one["outcome"] for one in everything] == ["no_funds", "sold", "region"]
    assert [one["bid"]["amount"] for one in everything] == ["25.00", "20.00", "30.00"]

    public = publisher.get(path)["items"]
    assert [one["outcome"] for one in public] == ["no_funds", "sold", "region"]
    assert all(not one["order"].startswith("ord_") and one["bid"] is None for one in public)
    assert public == publisher.get(path)["items"] and len({one["order"] for one in public}) == 3
    other = publisher.post("/leads", market.lead())
    others = publisher.get(f"/leads/{other['id']}/why")["items"]
    assert not {one["order"] for one in others} & {one["order"] for one in public}

    assert [one["order"] for one in rich.get(path)["items"]] == [sold["id"]]
    assert [one["outcome"] for one in poor.get(path)["items"]] == ["no_funds"]


def test_why_shows_the_terms_that_were_tried_whatever_the_clocks_say(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    order = market.make_order(buyer, "20.00")
    lead = publisher.post("/leads", market.lead())
    dearer = {"price": {"amount": "35.00", "currency": "EUR"}}  # in the same instant, and after the sale
    assert buyer.request("PATCH", f"/orders/{order['id']}", dearer).status_code == 200
    [told] = buyer.get(f"/leads/{lead['id']}/why")["items"]
    assert (told["outcome"], told["bid"]["amount"]) == ("sold", "20.00")


def test_why_tells_of_a_buyer_whose_order_bears_a_later_instant(market: Market, clock: SetClock) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    clock.advance(seconds=1)
    market.make_order(buyer)
    clock.advance(seconds=-1)  # another machine's clock
    lead = publisher.post("/leads", market.lead())
    assert [one["outcome"] for one in publisher.get(f"/leads/{lead['id']}/why")["items"]] == ["sold"]


def test_why_tells_of_a_test_lead_that_nobody_wants_as_of_a_real_one(market: Market) -> None:
    publisher = market.make_publisher()
    market.make_order(market.make_buyer(), regions=["DE"])
    for test in (False, True):
        lead = publisher.post("/leads", market.lead(test=test))
        assert [one["outcome"] for one in publisher.get(f"/leads/{lead['id']}/why")["items"]] == ["region"]


def test_why_does_not_say_that_anybody_bought_a_test_lead(market: Market) -> None:
    publisher = market.make_publisher()
    market.make_order(market.make_buyer())
    lead = publisher.post("/leads", market.lead(test=True))
    [told] = publisher.get(f"/leads/{lead['id']}/why")["items"]
    assert (told["outcome"], told["detail"]) == ("sold", "Would have bought the lead, were it no test.")


def test_an_order_is_shown_as_it_was_placed_and_changes_for_the_next_lead(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    terms: dict[str, Any] = {
        "name": "Paris students", "vertical": "education", "regions": ["FR-IDF"], "model": "cpl",
        "price": {"amount": "20.00", "currency": "EUR"}, "exclusivity": "shared", "max_share": 3,
        "filters": [{"field": "attributes.occupation", "op": "in", "value": ["student", "unemployed"]}],
        "min_score": 0, "temperatures": ["warm", "hot"], "contact_classes": None, "verified_only": False,
        "caps": {"day": 50}, "budget": {"day": {"amount": "500.00", "currency": "EUR"}},
        "schedule": {"timezone": "Europe/Paris", "windows": [{"days": ["sun"], "from": "09:00", "to": "18:00"}]},
        "delivery": {"kind": "none"}, "status": "active",
    }  # fmt: skip
    order = buyer.post("/orders", terms)
    assert {name: order[name] for name in terms} == terms and order["version"] == 1
    path = f"/orders/{order['id']}"
    assert buyer.get(path) == order == buyer.get("/orders")["items"][0]
    assert buyer.request("GET", path).headers["ETag"] == '"1"'
    before = publisher.post("/leads", market.lead())["status"]
    buyer.request("PATCH", path, {"status": "paused"})
    assert publisher.post("/leads", market.lead())["status"] == "unsold"
    buyer.request("PATCH", path, {"status": "active", "temperatures": None})
    assert publisher.post("/leads", market.lead())["status"] == "sold" and before in ("sold", "unsold")


def test_a_dispute_is_read_by_both_sides_and_decided_once(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    market.make_order(buyer)
    sale = publisher.post("/leads", market.lead())["sales"][0]
    dispute = buyer.post(
        f"/sales/{sale['id']}/disputes", {"reason": "mistyped", "note": "dead", "evidence": [{"a": 1}]}
    )
    assert (dispute["sale"], dispute["state"], dispute["evidence"]) == (sale["id"], "open", [{"a": 1}])
    assert publisher.get("/disputes")["items"] == buyer.get("/disputes?state=open")["items"] == [dispute]
    assert buyer.request("POST", f"/sales/{sale['id']}/disputes", {"reason": "bot"}).status_code == 409
    resolve = f"/disputes/{dispute['id']}/resolve"
    decided = operator.post(resolve, {"decision": "uphold", "note": "so it is"})
    assert (decided["state"], decided["decision_note"]) == ("upheld", "so it is")
    assert operator.post(resolve, {"decision": "uphold"}) == decided
    assert operator.request("POST", resolve, {"decision": "reject"}).status_code == 409
    assert buyer.get("/disputes?state=open")["items"] == []


def test_a_wallet_and_a_balance_that_never_moved_are_zeros_of_the_currency_asked_for(market: Market) -> None:
    buyer, publisher = market.make_buyer("0"), market.make_publisher()
    for member, path, names in (
        (buyer, "/wallet", ("available", "held")), (publisher, "/balance", ("pending", "payable", "reserve", "paid")),
    ):  # fmt: skip
        for query, currency in (("", "EUR"), ("?currency=USD", "USD")):
            shown = member.get(path + query)
            assert all(shown[name] == {"amount": "0.00", "currency": currency} for name in names)


def test_the_catalogue_says_what_can_be_traded_and_where(market: Market) -> None:
    publisher = market.make_publisher()
    (education,) = (one for one in publisher.get("/verticals")["items"] if one["slug"] == "education")
    assert (education["currency"], education["min_price"]["amount"]) == ("EUR", "4.20")
    regions = {one["code"]: one for one in publisher.get("/regions?country=FR")["items"]}
    assert regions["FR"]["parent"] is None and regions["FR-IDF"]["parent"] == "FR"
    assert regions["FR-75C"]["parent"] == "FR-IDF"


def test_a_key_is_shown_once_scoped_and_revoked_at_once(market: Market) -> None:
    publisher = market.make_publisher()
    made = publisher.post("/keys", {"name": "read only", "scopes": ["leads:read"]})
    reader = Member(market.app, publisher.id, made["api_key"])
    assert made["id"].startswith("key_") and made["scopes"] == ["leads:read"] and made["revoked_at"] is None
    assert made["api_key"] not in publisher.request("GET", "/keys").text
    assert reader.request("GET", "/leads").status_code == 200
    assert reader.request("POST", "/leads", market.lead()).json["code"] == "scope_missing"
    assert reader.request("POST", "/keys", {}).status_code == 403

    manager = Member(market.app, publisher.id, publisher.post("/keys", {"scopes": ["keys:manage"]})["api_key"])
    assert manager.request("POST", "/keys", {"scopes": ["leads:write"]}).json["code"] == "scope_missing"
    assert manager.post("/keys")["scopes"] == ["keys:manage"]
    assert publisher.request("POST", "/keys", {"scopes": ["operate"]}).status_code in (403, 422)
    assert publisher.request("POST", "/keys", {"scopes": []}).status_code == 422

    writer_key = publisher.post("/keys")
    writer = Member(market.app, publisher.id, writer_key["api_key"])
    writer.post("/leads", market.lead())
    revoked = publisher.request("DELETE", f"/keys/{writer_key['id']}")
    assert revoked.status_code == 200 and revoked.json["revoked_at"]
    for body in (market.lead(), {"vertical": 5}, market.lead(region="nowhere")):
        assert writer.request("POST", "/leads", body).status_code == 401
    assert writer.request("POST", "/leads/batch", market.lead()).status_code == 401
    assert writer.request("GET", "/leads").status_code == 401
    assert publisher.get("/refusals")["items"] == []


def test_lists_come_in_pages_and_rows_that_arrive_meanwhile_disturb_nothing(market: Market) -> None:
    publisher = market.make_publisher()
    sent = [publisher.post("/leads", market.lead())["id"] for _ in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = publisher.get(f"/leads?limit=2&cursor={cursor}")
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        publisher.post("/leads", market.lead())
    assert seen == sent[::-1]


def test_a_batch_answers_row_by_row(market: Market) -> None:
    publisher = market.make_publisher()
    market.make_order(market.make_buyer("40.00"))
    good, bad = json.dumps(market.lead()), json.dumps(market.lead(region="nowhere"))
    raw = "\n".join([good, "{", "", bad, json.dumps(market.lead()), good]).encode()
    headers = {"Authorization": f"Bearer {publisher.key}"}
    response = market.app.test_client().post("/api/v1/leads/batch", data=raw, headers=headers,
                                             content_type="application/x-ndjson")  # fmt: skip
    rows = response.json["items"]
    assert [row["status"] for row in rows] == ["sold", "refused", "refused", "sold", "rejected"]
    assert rows[2]["errors"][0]["field"] == "region" and rows[4]["reasons"] == ["duplicate"]


def test_health_needs_no_key(market: Market) -> None:
    client = market.app.test_client()
    assert client.get("/health/live").json == {"status": "live"}
    assert client.get("/health/ready").json == {"status": "ready"}
    assert client.get("/metrics").status_code == 404


def test_the_consent_is_judged_by_the_business_clock(market: Market, clock: SetClock) -> None:
    publisher = market.make_publisher()
    given = {"text": "yes", "given_at": as_rfc3339(clock.now())}
    clock.advance(days=91)
    assert publisher.post("/leads", market.lead(consent=given))["reasons"] == ["consent_expired"]
