"""Every vertical that comes with the program trades as it is: its example is accepted and sold, and its schema says so."""

import pytest

from core.money import Money
from marketplace.catalog.definition import CONTACT_FIELDS
from marketplace.catalog.prices import corridor_minor
from marketplace.catalog.verticals import read_shipped, shipped_slugs
from marketplace.leads.submission import Contact
from tests.conftest import START
from tests.factories import Market
from tests.json_schema import check_schema, faults_in

SLUGS = shipped_slugs()
ASKED_FOR = {
    "car-insurance", "home-insurance", "health-insurance", "personal-loan", "mortgage", "deposit-card", "solar",
    "education", "education-degree", "travel", "test-drive", "real-estate-valuation", "dental-medical",
    "internet-access", "legal", "tax-audit", "taxi-courier", "online-games", "mobile-apps", "e-commerce",
}  # fmt: skip
DAYS_HELD = {48: 7, 168: 12, 240: 15, 336: 19}


def test_every_vertical_of_the_domain_is_there() -> None:
    assert set(SLUGS) == ASKED_FOR


@pytest.mark.parametrize("slug", SLUGS)
def test_the_example_is_accepted_sold_and_fits_the_published_schema(market: Market, slug: str) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    shown = publisher.get(f"/verticals/{slug}")
    check_schema(shown["schema"], shown["schema"])
    assert list(faults_in(shown["example"]["attributes"], shown["schema"], shown["schema"])) == []
    market.make_order(buyer, "60.00", vertical=slug)
    answer = publisher.request("POST", "/leads", shown["example"])
    assert answer.status_code == 201, answer.text
    assert (answer.json["status"], answer.json["reasons"]) == ("sold", [])
    assert answer.json["sales"][0]["price"]["amount"] == "60.00"


@pytest.mark.parametrize("slug", SLUGS)
def test_the_minimum_price_is_70_percent_of_the_low_end(slug: str) -> None:
    definition = read_shipped(slug).definition
    prices = definition.prices
    lows = [corridor_minor(corridor, "EUR")[0] for corridor in prices.cpa.values()]
    if prices.cpl:
        lows = [corridor_minor(prices.cpl.shared, "EUR")[0]]
    least = Money.parse(definition.min_price.amount, "EUR").minor
    assert least == ((min(lows) * 70 + 50) // 100 if lows else 50)


@pytest.mark.parametrize("slug", SLUGS)
def test_windows_nest_and_every_field_has_a_label_in_words(slug: str) -> None:
    vertical = read_shipped(slug)
    assert vertical.hold_days == DAYS_HELD[vertical.window_hours]
    assert [field.name for field in vertical.fields if not field.label[0].isupper()] == []
    assert len(vertical.fields) >= 6 and vertical.consent.required
    assert vertical.check(vertical.example(START)["attributes"]) == []


def test_a_settings_value_is_the_verticals_or_the_exchanges() -> None:
    loan, travel = read_shipped("personal-loan"), read_shipped("travel")
    assert (loan.setting("return.normal_bp"), loan.setting("call.billable_seconds")) == (1400, 90)
    assert (travel.setting("dedupe.vertical_days"), travel.setting("window.hours")) == (7, 48)
    assert travel.setting("call.billable_seconds") == 60
    assert loan.setting("contact.request_minutes", {}, {"contact.request_minutes": 3}) == 3
    reason = loan.dispute_reason("unreachable")
    assert reason and reason.enabled


def test_the_fields_of_a_contact_are_those_of_a_lead() -> None:
    assert set(CONTACT_FIELDS) == set(Contact.__struct_fields__)


def test_a_lead_for_companies_needs_company_and_position(market: Market) -> None:
    publisher = market.make_publisher()
    shown = publisher.get("/verticals/tax-audit")
    assert shown["contact_required"] == ["company", "position"]
    body = shown["example"]
    body["contact"] |= {"company": " ", "position": None}
    refused = publisher.request("POST", "/leads", body)
    assert refused.status_code == 422
    assert {fault["field"]: fault["code"] for fault in refused.json["errors"]} == {
        "contact.company": "missing",
        "contact.position": "missing",
    }
