"""An operator's verticals on pages: listed, added and changed in the browser, by people who write no file."""

from typing import Any

import pytest
import yaml
from lxml import html
from werkzeug.test import TestResponse

from core.db import transaction
from marketplace.catalog.shelf import get_vertical
from marketplace.catalog.verticals import read_shipped, shipped_slugs
from marketplace.web.operator.vertical_body import definition_in, filling_of
from marketplace.web.operator.vertical_form import VerticalForm
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import Visitor, words_of

GARDEN = {
    "slug": "garden", "currency": "EUR", "names-0-language": "en", "names-0-name": "<b>Garden</b>", "min_price": "2.10",
    "shared_low": "3.00", "shared_high": "6.00", "exclusive_low": "8.00", "exclusive_high": "12.50",
    "window_hours": "240", "consent_required": "y", "verification": "none", "example_region": "fr-idf",
    "contact_required": ["city"],
    "attributes-0-name": "area_m2", "attributes-0-type": "integer", "attributes-0-label": "Area",
    "attributes-0-min": "1", "attributes-0-required": "y", "attributes-0-asked": "y",
    "attributes-4-name": "soil", "attributes-4-type": "enum", "attributes-4-label": "Soil", "attributes-4-asked": "y",
    "attributes-4-values": "clay\r\n\r\nsand, wet\r\n",
    "settings-0-key": "contact.request_minutes", "settings-0-value": "2",
    "reasons-0-reason": "bot", "reasons-0-window_hours": "96",
}  # fmt: skip


@pytest.fixture
def operator(market: Market) -> Member:
    return market.make_operator()


@pytest.fixture
def visitor(market: Market, operator: Member) -> Visitor:
    return visitor_of(market, operator)


def typed(page: html.HtmlElement) -> dict[str, Any]:
    """Return what the form of a page holds, as a browser would send it."""
    form = next(one for one in page.forms if one.xpath(".//input[@name='seen']"))
    fields: dict[str, Any] = {}
    for name, value in form.form_values():
        fields[name] = [*fields[name], value] if name in fields else [value]
    return fields


def change(visitor: Visitor, slug: str, **changes: str | None) -> TestResponse:
    """Open a vertical's form, change some of it, and save."""
    fields = typed(visitor.read(f"/operator/verticals/{slug}/edit")) | changes
    return visitor.open(f"/operator/verticals/{slug}/edit", "POST", {k: v for k, v in fields.items() if v is not None})


def faults_on(answer: TestResponse) -> dict[str, str]:
    """Return each fault of a form by the field it stands at."""
    page = html.fromstring(answer.text)
    return {
        str(fault.get("id")).removesuffix("-fault"): fault.text_content().strip()
        for fault in page.xpath("//p[@class='fault'][@id]")
    }


def test_each_vertical_is_listed_with_what_went_by_it(market: Market, visitor: Visitor) -> None:
    publisher = market.make_publisher()
    market.make_order(market.make_buyer())
    for lead in (market.lead(), market.lead(), market.lead(test=True)):
        publisher.post("/leads", lead)
    rows = visitor.read("/operator/verticals").xpath("//tbody/tr")
    cells = [[cell.text_content().strip() for cell in row] for row in rows]
    links = [str(row.xpath("td/a/@href")[0]) for row in rows]
    assert links == [f"/operator/verticals/{slug}" for slug in shipped_slugs()]
    assert cells[links.index("/operator/verticals/education")] == [
        "Education", "15", "240", "€4.20", "6.00 – 14.00", "18.00 – 40.00", "1", "0", "2", "2"
    ]  # fmt: skip
    assert "2 leads in the last 30 days, 2 sold; 1 active orders" in words_of(
        visitor.open("/operator/verticals/education")
    )
    assert visitor.open("/operator/verticals/nothing").status_code == 404
    assert visitor.open("/operator/verticals/nothing/edit").status_code == 404


def test_a_vertical_is_added_in_the_browser_and_trades_at_once(
    market: Market, operator: Member, visitor: Visitor
) -> None:
    answer = visitor.send("/operator/verticals/new", **GARDEN)
    assert answer.location == "/operator/verticals/garden", faults_on(answer)
    assert "<b>Garden" not in visitor.open(answer.location).text
    shown = operator.get("/verticals/garden")
    assert shown["schema"]["properties"]["soil"]["enum"] == ["clay", "sand, wet", None]
    assert shown["schema"]["required"] == ["area_m2"] and shown["contact_required"] == ["city"]
    market.make_order(market.make_buyer(), vertical="garden")
    body = shown["example"]
    body["contact"]["city"] = "Paris"
    assert market.make_publisher().post("/leads", body)["status"] == "sold"
    again = visitor.send("/operator/verticals/new", **GARDEN)
    assert again.status_code == 200 and "There is a vertical garden already" in words_of(again)


def test_every_fault_stands_at_its_field_and_what_was_typed_stays(visitor: Visitor) -> None:
    wrong = GARDEN | {
        "slug": "Gar den", "names-1-language": "english", "names-1-name": "x", "names-2-language": "en",
        "names-2-name": "twice", "min_price": "2.105", "shared_low": "9.00", "exclusive_high": "a lot",
        "window_hours": "24", "consent_days": "none", "example_region": "XX", "attributes-0-min": "one",
        "attributes-4-values": "", "attributes-4-name": "so il", "settings-0-key": "", "reasons-0-window_hours": "x",
    }  # fmt: skip
    answer = visitor.send("/operator/verticals/new", **wrong)
    found = faults_on(answer)
    assert set(found) >= {
        "slug", "names-1-language", "names-2-language", "exclusive_high", "consent_days", "attributes-0-min",
        "attributes-1-name", "reasons-0-window_hours",
    }, found  # fmt: skip
    assert "so il" in answer.text and "a lot" in answer.text and "english" in answer.text
    typed_well = GARDEN | {"min_price": "2.105", "shared_low": "9.00", "window_hours": "24", "example_region": "XX",
                           "attributes-4-values": "", "settings-0-value": "600", "reasons-0-window_hours": "900"}  # fmt: skip
    found = faults_on(visitor.send("/operator/verticals/new", **typed_well))
    assert set(found) == {
        "min_price", "shared_high", "window_hours", "example_region", "attributes-1-values", "settings-0-value",
        "reasons-0-window_hours",
    }, found  # fmt: skip
    assert visitor.open("/operator/verticals/garden").status_code == 404


def test_rows_are_added_moved_and_removed_without_a_script_and_nothing_is_kept(visitor: Visitor) -> None:
    def names(answer: TestResponse) -> list[str]:
        found = html.fromstring(answer.text).xpath("//input[starts-with(@name,'attributes-')]")
        return [one.get("value") for one in found if one.get("name").endswith("-name")]

    path = "/operator/verticals/new"
    for act, expected in (
        ("attributes add", ["area_m2", "soil", ""]),
        ("attributes up 1", ["soil", "area_m2"]),
        ("attributes down 0", ["soil", "area_m2"]),
        ("attributes up 0", ["area_m2", "soil"]),
        ("attributes remove 0", ["soil"]),
        ("attributes remove 9", ["area_m2", "soil"]),
        ("csrf_token add", ["area_m2", "soil"]),
        ("attributes", ["area_m2", "soil"]),
    ):
        answer = visitor.send(path, **GARDEN, act=act)
        assert (answer.status_code, names(answer)) == (200, expected), act
    assert visitor.open("/operator/verticals/garden").status_code == 404


@pytest.mark.parametrize("slug", shipped_slugs())
def test_a_form_that_is_saved_as_it_was_opened_says_what_the_vertical_said(market: Market, slug: str) -> None:
    before = read_shipped(slug).as_mapping()
    with market.app.test_request_context("/", method="POST"):
        form = VerticalForm(formdata=None, data=filling_of(before))
        after = definition_in(form, before, before["version"])
    assert read_shipped(slug).load(after).as_mapping() == before


def test_a_change_is_a_new_version_that_names_who_and_what(visitor: Visitor) -> None:
    assert change(visitor, "education", window_hours="200", min_price="4.50").status_code == 302
    page = words_of(visitor.open("/operator/verticals/education"))
    assert "Version 2 now a person" in page and "Version 1" in page
    assert "Window for disputes, hours 240 200" in page and "4.20 4.50" in page


def test_orders_and_sources_that_a_change_makes_wrong_are_named_before_it_is_saved(
    market: Market, operator: Member, visitor: Visitor
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, name="of students", filters=[
        {"field": "attributes.occupation", "op": "in", "value": ["student", "retired"]}])  # fmt: skip
    market.make_order(buyer, name="cheap one", price="4.20")
    market.make_order(buyer, name="untouched")
    fields = typed(visitor.read("/operator/verticals/education/edit"))
    place = next(name for name, value in fields.items() if value == ["occupation"]).removesuffix("-name")
    values = fields[f"{place}-values"][0].replace("retired", "")
    path = "/operator/verticals/education/edit"
    answer = visitor.open(path, "POST", fields | {f"{place}-values": values, "min_price": "5.00"})
    page = words_of(answer)
    assert answer.status_code == 200 and "Orders and sources that this makes wrong: 2" in page
    assert "attributes.occupation = retired any more" in page and "Bid at least 5.00 EUR" in page
    assert "untouched" not in page and "Save all the same" in page
    assert operator.get("/verticals/education")["version"] == 1
    agreed = typed(html.fromstring(answer.text))
    market.make_order(buyer, name="came meanwhile", price="4.30")
    meanwhile = visitor.open(path, "POST", agreed)
    assert meanwhile.status_code == 200 and "makes wrong: 3" in words_of(meanwhile)
    assert visitor.open(path, "POST", typed(html.fromstring(meanwhile.text))).status_code == 302
    assert operator.get("/verticals/education")["version"] == 2


def test_a_field_that_is_gone_touches_the_orders_that_ask_for_it(market: Market, visitor: Visitor) -> None:
    market.make_order(market.make_buyer(), name="of students", filters=[
        {"field": "attributes.occupation", "op": "eq", "value": "student"}])  # fmt: skip
    fields = typed(visitor.read("/operator/verticals/education/edit"))
    place = next(name for name, value in fields.items() if value == ["occupation"]).removesuffix("-name")
    left = {name: value for name, value in fields.items() if not name.startswith(f"{place}-")}
    page = words_of(visitor.open("/operator/verticals/education/edit", "POST", left | {"act": "look"}))
    assert "of students" in page and "cannot filter by 'attributes.occupation'" in page


def test_two_operators_at_one_vertical_are_told_what_the_other_changed(
    market: Market, operator: Member, visitor: Visitor
) -> None:
    path = "/operator/verticals/education/edit"
    mine = typed(visitor.read(path)) | {"dedupe_days": "77"}
    assert change(visitor_of(market, market.make_operator()), "education", window_hours="200").status_code == 302
    answer = visitor.open(path, "POST", mine)
    page = words_of(answer)
    assert answer.status_code == 200 and "Somebody changed this vertical meanwhile" in page
    assert "Window for disputes, hours 240 200" in page and operator.get("/verticals/education")["version"] == 2
    kept = typed(html.fromstring(answer.text))
    assert (kept["dedupe_days"], kept["seen"]) == (["77"], ["2"])
    assert visitor.open(path, "POST", kept).status_code == 302
    shown = operator.get("/verticals/education")
    assert (shown["version"], shown["dedupe_days"], shown["window_hours"]) == (3, 77, 240)


@pytest.mark.parametrize("seen", ["", "x", "99", "9" * 30])
def test_a_version_that_never_was_overwrites_nothing_unseen(visitor: Visitor, seen: str) -> None:
    assert change(visitor, "education", window_hours="200").status_code == 302
    answer = change(visitor, "education", seen=seen, dedupe_days="30")
    assert answer.status_code in (200, 302)
    assert "Window for disputes, hours 240 200" in words_of(visitor.open("/operator/verticals/education"))


def test_the_text_is_checked_as_the_form_is_and_names_the_lines(operator: Member, visitor: Visitor) -> None:
    path = "/operator/verticals/education/text"
    fields = typed(visitor.read(path))
    text = fields["text"][0]
    assert yaml.safe_load(text)["version"] == 2
    wrong = text.replace("window_hours: 240", "window_hours: 24").replace("type: boolean", "type: bool", 1)
    answer = visitor.open(path, "POST", fields | {"text": wrong})
    line = wrong.splitlines().index("window_hours: 24") + 1
    place = next(number for number, one in enumerate(wrong.splitlines(), 1) if "type: bool" in one)
    typed_wrong = words_of(answer)
    assert answer.status_code == 200 and f"Line {place}, fields." in typed_wrong
    answer = visitor.open(path, "POST", fields | {"text": text.replace("window_hours: 240", "window_hours: 24")})
    assert f"Line {line}, window_hours: Send a number from 48 to 720." in words_of(answer)
    for nonsense in ("a: *b", "[", "\x00", "- 1", "", "x" * 200_001, "a: &a [*a]", "\ud7ff: 1"):
        assert visitor.open(path, "POST", fields | {"text": nonsense}).status_code == 200, nonsense
    other = visitor.open(path, "POST", fields | {"text": text.replace("slug: education", "slug: other")})
    assert "Leave it education" in words_of(other)
    shorter = text.replace("window_hours: 240", "window_hours: 200")
    assert visitor.open(path, "POST", fields | {"text": shorter}).status_code == 302
    assert operator.get("/verticals/education")["window_hours"] == 200
    stale = visitor.open(path, "POST", fields)
    assert "Somebody changed this vertical meanwhile" in words_of(stale)
    assert visitor.send("/operator/verticals/new/text", text=text.replace("slug: education", "slug: other")).location


def test_its_pages_take_few_queries_and_are_for_operators(market: Market, visitor: Visitor) -> None:
    stranger = visitor_of(market, market.make_buyer("0"))
    for path in ("", "/education", "/new", "/new?like=education", "/education/edit", "/new/text", "/education/text"):
        with queries(market.app) as said:
            assert visitor.open(f"/operator/verticals{path}").status_code == 200
        assert len(said) <= MOST_QUERIES, said
        assert stranger.open(f"/operator/verticals{path}").status_code == 403
    assert visitor.open("/operator/verticals/new?like=nothing").status_code == 404


def test_a_lost_token_and_a_long_name_keep_the_form(visitor: Visitor) -> None:
    said = GARDEN | {"names-0-name": "\u202eשם" + "x" * 200}
    answer = visitor.send("/operator/verticals/new", **said)
    assert "names-0-name" in faults_on(answer) and "x" * 200 in answer.text
    lost = visitor.open("/operator/verticals/new", "POST", GARDEN)
    assert lost.status_code == 400 and "area_m2" in lost.text


def definition(market: Market) -> dict[str, Any]:
    """Return what the vertical education says now."""
    with market.app.app_context(), transaction():
        return get_vertical("education")[1].as_mapping()


def test_margins_and_least_prices_are_rows_and_each_fault_stands_at_its_field(visitor: Visitor, market: Market) -> None:
    rows = {"bands-0-from_": "0.00", "bands-0-keep": "12.5 %", "bands-1-from_": "20.00", "bands-1-keep": "5.00",
            "least-0-region": "fr-idf", "least-0-contact_class": "", "least-0-amount": "9.00",
            "least-1-region": "", "least-1-contact_class": "quick", "least-1-amount": "7.00"}  # fmt: skip
    answer = change(visitor, "education", **rows)
    assert answer.status_code == 302, faults_on(answer)
    said = definition(market)
    assert said["margin"] == [
        {"from": "0.00", "bp": 1250, "amount": None},
        {"from": "20.00", "bp": None, "amount": "5.00"},
    ]
    assert [(one["region"], one["contact_class"], one["amount"]) for one in said["min_prices"]] == [
        ("FR-IDF", None, "9.00"), (None, "quick", "7.00")
    ]  # fmt: skip
    again = change(visitor, "education")
    assert again.status_code == 302
    assert definition(market) == said | {"version": said["version"] + 1}
    wrong = {"bands-0-from_": "1.00", "bands-0-keep": "", "bands-1-keep": "100 %", "least-0-amount": "4.20",
             "least-0-region": "XX", "least-1-contact_class": ""}  # fmt: skip
    stands = faults_on(change(visitor, "education", **wrong))
    assert set(stands) == {"bands-0-from_", "bands-0-keep", "bands-1-keep", "least-0-amount", "least-0-region",
                           "least-1-contact_class"}  # fmt: skip
    act = {"act": "bands remove 0"}
    left = change(visitor, "education", **act)
    assert typed(html.fromstring(left.text))["bands-0-keep"] == ["5.00"]
