"""The buyer's orders on pages: what each bought today, pausing, cloning, and the editor with all that can go wrong."""

from dataclasses import replace
from typing import Any

import pytest
from lxml import html

from core.db import db
from core.outbound import Outbound
from marketplace.web.buyer.order_templates import TEMPLATES
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

LONG = "שם <b>" + "x" * 190


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def visitor(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


def form_of(page: html.HtmlElement) -> dict[str, Any]:
    """Return what the editor's form would send as it stands."""
    [form] = page.xpath("//form[contains(@class, 'editor')]")
    sent: dict[str, Any] = {}
    for name, value in form.form_values():
        sent.setdefault(name, []).append(value)
    return sent


def send(visitor: Visitor, path: str, **changes: Any) -> Any:
    """Send the editor's form as it stands, with some changes; a name's dashes are written as underscores of two."""
    sent = form_of(visitor.read(path)) | {name.replace("__", "-"): text for name, text in changes.items()}
    return visitor.open(path, "POST", sent)


def faults(response: Any) -> list[str]:
    found = html.fromstring(response.text).xpath("//p[@class='fault']")
    return [" ".join(one.text_content().split()) for one in found]


def only_order(buyer: Member) -> Any:
    [order] = buyer.get("/orders")["items"]
    return order


def test_a_new_order_begins_with_the_exchanges_defaults(visitor: Visitor, buyer: Member) -> None:
    answer = send(visitor, "/buyer/orders/new?vertical=education", name=LONG, price="20.00")
    assert answer.status_code == 302, faults(answer)
    order = only_order(buyer)
    assert order["name"] == LONG and order["price"] == {"amount": "20.00", "currency": "EUR"}
    assert order["caps"]["day"] == 25 and order["budget"]["day"]["amount"] == "500.00"
    assert order["exclusivity"] == "shared" and order["max_share"] == 3
    assert order["schedule"] == {
        "timezone": "Europe/Paris",
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}],
    }
    page = visitor.read("/buyer/orders")
    assert LONG in page.text_content() and not page.xpath("//main//b")
    assert "is placed and buys from now on" in page.text_content()


def test_the_minimum_price_stands_beside_the_price(visitor: Visitor) -> None:
    assert "Nothing is sold below €4.20" in words_of(visitor.open("/buyer/orders/new?vertical=education"))
    assert ", from €4.20" in words_of(visitor.open("/buyer/orders/new"))


def test_every_bad_value_is_said_at_its_field_and_what_was_typed_stays(visitor: Visitor, buyer: Member) -> None:
    wrong = {
        "name": " ", "price": "0.01", "regions": "FR, XX", "day__cap": "many", "day__budget": "-1", "min_score": "101",
        "timezone": "Mars/North", "filters__0__field": "contact.email", "filters__0__op": "eq", "filters__0__value": "x",
        "windows__0__from_": "9", "delivery": "json", "delivery_json": '{"kind": "http", "url": 5}', "max_share": "9",
    }  # fmt: skip
    answer = send(visitor, "/buyer/orders/new?vertical=education", **wrong)
    assert answer.status_code == 200 and buyer.get("/orders")["items"] == []
    said = faults(answer)
    assert any("Write a whole number" in one for one in said) and any(one.startswith("url: ") for one in said), said
    kept = form_of(html.fromstring(answer.text))
    assert kept["day-cap"] == ["many"] and kept["timezone"] == ["Mars/North"]
    assert kept["delivery_json"][0].strip() == '{"kind": "http", "url": 5}'
    said = faults(send(visitor, "/buyer/orders/new?vertical=education", **wrong | {"delivery_json": "{"}))
    for part in ("printable characters", "at least 4.20 EUR", "'XX' is no region", "more than zero", "0 to 100",
                 "'Mars/North' is no zone", "only exists may be asked", "09:00", "2 to 5 buyers", "Write a whole number", "as JSON"):  # fmt: skip
        assert sum(part in one for one in said) == 1, (part, said)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 5000, '{"kind": "pigeon"}'])
def test_settings_that_are_no_delivery_are_refused_at_their_field(visitor: Visitor, text: str) -> None:
    answer = send(visitor, "/buyer/orders/new?vertical=education", name="x", price="20", delivery="json",
                  delivery_json=text)  # fmt: skip
    assert answer.status_code == 200
    [fault] = html.fromstring(answer.text).xpath("//p[@id='delivery_json-fault']")
    assert fault.text_content().strip()


def test_an_unknown_vertical_is_refused(visitor: Visitor) -> None:
    assert "Choose a vertical" in faults(send(visitor, "/buyer/orders/new", name="x", price="20", vertical="none"))[0]


def test_filters_and_windows_go_in_and_come_back_as_they_were(market: Market, visitor: Visitor, buyer: Member) -> None:
    terms = {
        "filters": [
            {"field": "attributes.course", "op": "in", "value": ["business", "law"]},
            {"field": "score", "op": "between", "value": [20, 90]},
            {"field": "contact.postal_code", "op": "eq", "value": "75001"},
            {"field": "contact.phone", "op": "exists", "value": None},
        ],
        "regions": ["FR-IDF", "BE"], "temperatures": ["hot"], "contact_classes": ["quick", "interested"],
        "min_score": 30, "caps": {"hour": 2, "total": 100}, "budget": {"month": {"amount": "90.00", "currency": "EUR"}},
        "schedule": {"timezone": "Europe/Brussels", "windows": [{"days": ["mon", "sat"], "from": "22:00", "to": "02:00"}]},
        "verified_only": True, "contact_sla": True, "exclusivity": "shared", "max_share": 4,
    }  # fmt: skip
    before = market.make_order(buyer, **terms)
    answer = send(visitor, f"/buyer/orders/{before['id']}", name="another name")
    assert answer.status_code == 302, faults(answer)
    after = only_order(buyer)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"name", "version"} | ({"changed_at"} & changed)


def test_weekdays_pace_and_ladder_go_in_come_back_and_are_lifted(
    market: Market, visitor: Visitor, buyer: Member
) -> None:
    path = "/buyer/orders/new?vertical=education"
    typed = {"name": "by volume", "price": "20.00", "weekday__mon": "5", "weekday__sun": "2", "pacing": "y",
             "ladder_period": "month", "ladder_steps__0__count": "10", "ladder_steps__0__price": "15.00",
             "ladder_steps__1__count": "20", "ladder_steps__1__price": "9.00"}  # fmt: skip
    assert send(visitor, path, **typed).status_code == 302
    before = only_order(buyer)
    assert before["caps"]["weekday"] == {"mon": 5, "sun": 2} and before["pacing"] is True
    assert [(one["from"], one["price"]["amount"]) for one in before["ladder"]["steps"]] == [(10, "15.00"), (20, "9.00")]
    path = f"/buyer/orders/{before['id']}"
    assert send(visitor, path).status_code == 302 and only_order(buyer)["version"] == 1
    lifted = {"weekday__mon": "", "weekday__sun": "", "ladder_period": ""}
    lifted |= {name: "" for name in typed if name.startswith("ladder_steps")}
    sent = form_of(visitor.read(path)) | {name.replace("__", "-"): text for name, text in lifted.items()}
    del sent["pacing"]
    assert visitor.open(path, "POST", sent).status_code == 302
    after = only_order(buyer)
    assert (after["ladder"], after["pacing"], after["caps"].get("weekday")) == (None, False, None)


def test_faults_of_weekdays_pace_and_ladder_stand_each_at_its_field(visitor: Visitor, buyer: Member) -> None:
    wrong = {"name": "x", "price": "20.00", "day__cap": "3", "weekday__mon": "9", "weekday__tue": "many",
             "weekday__wed": "0", "ladder_steps__0__count": "1", "ladder_steps__0__price": "abc",
             "ladder_steps__1__count": "5", "ladder_steps__1__price": "1.00"}  # fmt: skip
    answer = send(visitor, "/buyer/orders/new?vertical=education", **wrong)
    page = html.fromstring(answer.text)
    at = {str(one.get("id")).removesuffix("-fault") for one in page.xpath("//p[@class='fault'][@id]")}
    assert at == {"weekday-mon", "weekday-tue", "weekday-wed", "ladder_period", "ladder_steps-0-count",
                  "ladder_steps-0-price", "ladder_steps-1-price"}  # fmt: skip
    bare = {"name": "x", "price": "20.00", "day__cap": "", "day__budget": "", "pacing": "y"}
    page = html.fromstring(send(visitor, "/buyer/orders/new?vertical=education", **bare).text)
    assert [str(one.get("id")) for one in page.xpath("//p[@class='fault'][@id]")] == ["pacing-fault"]
    assert buyer.get("/orders")["items"] == []


def test_the_same_form_again_changes_nothing(market: Market, visitor: Visitor, buyer: Member) -> None:
    order = market.make_order(buyer)
    path = f"/buyer/orders/{order['id']}"
    first = send(visitor, path, name="changed")
    assert first.status_code == 302 and only_order(buyer)["version"] == 2
    assert send(visitor, path).status_code == 302 and only_order(buyer)["version"] == 2


def test_two_tabs_on_one_order_tell_what_the_other_changed(market: Market, visitor: Visitor, buyer: Member) -> None:
    path = f"/buyer/orders/{market.make_order(buyer, caps={'day': 3})['id']}"
    lies_open = form_of(visitor.read(path))
    assert send(visitor, path, day__cap="50", regions="BE").status_code == 302
    answer = visitor.open(path, "POST", lies_open | {"name": "mine"})
    said = words_of(answer)
    assert answer.status_code == 200 and "Somebody changed this order meanwhile" in said
    assert "Regions – [" in said and "Most leads" in said and only_order(buyer)["name"] == "an order"
    kept = form_of(html.fromstring(answer.text))
    assert kept["name"] == ["mine"] and kept["version"] == ["2"]
    assert visitor.open(path, "POST", kept).status_code == 302
    assert only_order(buyer)["name"] == "mine" and only_order(buyer)["regions"] == []


def test_a_version_that_is_none_is_a_version_that_has_changed(market: Market, visitor: Visitor, buyer: Member) -> None:
    path = f"/buyer/orders/{market.make_order(buyer)['id']}"
    for version in ("", "x", "9" * 30, "-1"):
        answer = send(visitor, path, version=version, name="changed")
        assert answer.status_code == 200 and only_order(buyer)["name"] == "an order"


def test_an_order_is_paused_and_resumed_however_often_the_button_is_pressed(
    market: Market, visitor: Visitor, buyer: Member
) -> None:
    path = f"/buyer/orders/{market.make_order(buyer)['id']}/status"
    for status in ("paused", "paused", "active"):
        assert visitor.send(path, "/buyer/orders", status=status).location == "/buyer/orders"
        assert only_order(buyer)["status"] == status
    assert only_order(buyer)["version"] == 3
    assert "buys again" in words_of(visitor.open("/buyer/orders"))
    visitor.send(path, "/buyer/orders", status="closed")
    assert only_order(buyer)["status"] == "active"


@pytest.mark.parametrize(
    "terms",
    [
        {"caps": {"day": 7}},
        {"caps": {"day": 30, "weekday": {"sat": 5, "sun": 1}}, "pacing": True,
         "ladder": {"period": "month", "steps": [{"from": 11, "price": {"amount": "18.00", "currency": "EUR"}}]}},
        {"age": {"from": 1, "to": 60, "resold": True, "returned": ["duplicate"]}, "budget": {"week": {"amount": "90.00", "currency": "EUR"}}},
        {"at_cap": "wait", "wait_hours": 5, "exclusivity": "shared", "max_share": 2, "caps": {"day": 1}, "returns": False},
    ],
)  # fmt: skip
def test_a_clone_says_what_the_order_says(
    market: Market, visitor: Visitor, buyer: Member, terms: dict[str, Any]
) -> None:
    order = market.make_order(buyer, name="Paris", regions=["FR-IDF"], **terms)
    assert send(visitor, f"/buyer/orders/new?like={order['id']}").status_code == 302
    newest = buyer.get("/orders")["items"][0]
    its_own = ("id", "version", "created_at", "changed_at", "name", "schedule")
    assert {key: newest[key] for key in order if key not in its_own} == {
        key: order[key] for key in order if key not in its_own
    }
    assert newest["name"] == "Paris, again"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_an_order_once_it_has_a_name_and_a_price(visitor: Visitor, buyer: Member, name: str) -> None:
    answer = send(visitor, f"/buyer/orders/new?vertical=education&template={name}", name=name, price="20.00")
    assert answer.status_code == 302, faults(answer)
    terms, form = only_order(buyer), TEMPLATES[name].form
    assert [one["percent"] for one in terms["modifiers"] or ()] == [
        int(one["change"].removesuffix(" %")) for one in form.get("modifiers", ())
    ]
    assert terms["returns"] is form.get("returns", True) and terms["temperatures"] == form.get("temperatures")
    assert terms["exclusivity"] == form.get("exclusivity", "shared")


def test_an_order_of_somebody_else_is_not_there(market: Market, visitor: Visitor) -> None:
    theirs = market.make_order(market.make_buyer())["id"]
    token = visitor.token("/buyer/orders/new")
    for path in (theirs, f"new?like={theirs}", "ord_x", f"{theirs}/status"):
        method = "POST" if path.endswith("status") else "GET"
        answer = visitor.open(f"/buyer/orders/{path}", method, {"csrf_token": token, "status": "paused"})
        assert answer.status_code == 404, path


def test_what_was_bought_today_stands_beside_the_limits(
    market: Market, visitor: Visitor, buyer: Member, clock: SetClock
) -> None:
    publisher = market.make_publisher()
    market.make_order(buyer, name="limited", caps={"day": 2}, price="30.00")
    for _ in range(3):
        publisher.post("/leads", market.lead())
    said = words_of(visitor.open("/buyer/orders"))
    assert "2 / 2 reached" in said and "60.00" in said and "1 of 1 orders buy" in said
    clock.advance(days=1)
    assert "0 / 2" in words_of(visitor.open("/buyer/orders"))


def test_an_order_without_limits_counts_its_sales_of_today(
    market: Market, visitor: Visitor, buyer: Member, clock: SetClock
) -> None:
    publisher = market.make_publisher()
    market.make_order(buyer)
    publisher.post("/leads", market.lead())
    clock.advance(days=1)
    publisher.post("/leads", market.lead())
    row = visitor.read("/buyer/orders").xpath("//table//tbody/tr")[0]
    assert [cell.text_content().strip() for cell in row.xpath("td[@class='num']")] == ["20.00", "1", "20.00"]


def test_many_orders_take_no_more_queries(market: Market, visitor: Visitor, buyer: Member) -> None:
    for number in range(60):
        market.make_order(buyer, name=f"order {number}", caps={"day": 3} if number % 2 else {})
    with queries(market.app) as said:
        page = visitor.read("/buyer/orders")
    assert len(page.xpath("//tbody/tr")) == 50 and len(said) <= 12, said
    [following] = page.xpath("//nav[@class='pager']/a[@rel='next']/@href")
    assert len(visitor.read(following).xpath("//tbody/tr")) == 10


def test_a_delivery_is_tried_before_it_is_saved(market: Market, visitor: Visitor, buyer: Member) -> None:
    market.app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    kept = market.app.extensions["leadbourse_settings"]
    market.app.extensions["leadbourse_settings"] = replace(kept, allow_private_targets=True)
    with open_endpoint(answer=b'{"ok": true}') as endpoint:
        settings = f'{{"kind": "http", "url": "{endpoint.url}", "fields": {{"mail": "contact.email"}}}}'
        answer = send(visitor, "/buyer/orders/new?vertical=education", delivery="json", delivery_json=settings,
                      **{"try": "1"})  # fmt: skip
        assert len(endpoint.received) == 1
    said = words_of(answer)
    assert "The sample lead" in said and "Accepted" in said and '{"ok": true}' in said and "@" in said
    assert buyer.get("/orders")["items"] == [] and settings in html.fromstring(answer.text).text_content()


def test_a_sample_lead_is_only_written_or_its_answer_judged_at_the_field(market: Market, visitor: Visitor) -> None:
    market.app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    kept = market.app.extensions["leadbourse_settings"]
    market.app.extensions["leadbourse_settings"] = replace(kept, allow_private_targets=True)
    with open_endpoint(status=500) as endpoint:
        form = {"delivery": "webhook", "delivery_url": endpoint.url, "name": "kept"}
        written = send(visitor, "/buyer/orders/new?vertical=education", **form, **{"try": "write"})
        assert "nothing was sent" in words_of(written) and f"POST {endpoint.url}" in written.text
        assert endpoint.received == [] and faults(written) == []
        tried = send(visitor, "/buyer/orders/new?vertical=education", **form, **{"try": "1"})
    assert len(endpoint.received) == 1 and "it would be sent again" in faults(tried)[0]
    assert 'value="kept"' in tried.text


def test_a_delivery_that_cannot_be_tried_says_why_at_its_field(visitor: Visitor) -> None:
    for form, says in (({"delivery": "none"}, "Choose webhook"), ({"delivery": "json", "delivery_json": "{"}, "JSON")):
        answer = send(visitor, "/buyer/orders/new?vertical=education", **form, **{"try": "1"})
        assert answer.status_code == 200 and says in faults(answer)[0]


def test_a_secret_is_masked_and_kept_when_the_form_comes_back(market: Market, visitor: Visitor, buyer: Member) -> None:
    delivery = {"kind": "http", "url": "https://example.com/x", "headers": {"Authorization": "Bearer very-secret-7"},
                "fields": {"mail": "contact.email"}}  # fmt: skip
    order = market.make_order(buyer, delivery=delivery)
    page = visitor.open(f"/buyer/orders/{order['id']}").text
    assert "very-secret-7" not in page and "…" in page
    kept = db.session.scalar(db.text("SELECT terms -> 'delivery' FROM marketplace.orders"))
    db.session.rollback()
    answer = send(visitor, f"/buyer/orders/{order['id']}", name="renamed")
    assert answer.status_code == 302, faults(answer)
    assert db.session.scalar(db.text("SELECT terms -> 'delivery' FROM marketplace.orders")) == kept
    db.session.rollback()
