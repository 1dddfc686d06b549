"""Sources over the API: registered with a mapping that is checked, shown without secrets, changed and closed."""

from typing import Any, get_args

import pytest

from marketplace.catalog.verticals import read_shipped
from marketplace.leads.dialects import DIALECTS, META
from marketplace.leads.sources.terms import DialectName, SourceTerms, check_terms
from tests.at_once import ask
from tests.factories import Market, Member
from tests.marketplace.dialects.speaking import a_person, make_source, post

BODY = {"dialect": "leadspedia", "name": "forms", "vertical": "education", "region": "US"}


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.mark.parametrize("dialect", [*DIALECTS, META])
def test_the_shipped_fields_of_every_dialect_fit_a_lead(dialect: str) -> None:
    terms = SourceTerms(region="FR", channel=None, interest=None, consent_text=None, timezone="UTC", fields={})
    check_terms(dialect, "forms", terms, read_shipped("education"))


def test_every_dialect_may_be_registered() -> None:
    assert set(get_args(DialectName)) == {*DIALECTS, META}


def test_a_source_is_shown_with_its_address_and_its_secret_once(publisher: Member, database_url: str) -> None:
    made = publisher.post("/sources", BODY)
    assert made["url"] == f"http://localhost/in/leadspedia/{made['id']}" and made["id"].startswith("src_")
    secret = made["credentials"]["lp_campaign_key"]
    (listed,) = publisher.get("/sources")["items"]
    assert listed == made | {"credentials": made["credentials"] | {"lp_campaign_key": None}}
    ((row,),) = ask(database_url, "SELECT s::text FROM marketplace.sources s")
    assert secret not in row and len(secret) == 32


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"region": "Paris"}, "region", "unknown_region"),
        ({"timezone": "Mars"}, "timezone", "unknown_timezone"),
        ({"fields": {"contact.shoe": "size"}}, "fields.contact.shoe", "unknown_field"),
        (
            {"fields": {"attributes.course": {"constant": "magic"}}},
            "fields.attributes.course.0.constant",
            "unknown_value",
        ),
        ({"fields": {"contact.email": {"column": "a", "template": "b"}}}, "fields.contact.email.0", "one_source"),
        ({"fields": {"contact.email": 5}}, "fields.contact.email.0", "wrong_type"),
        ({"fields": {"contact.email": None, "contact.phone": None}}, "fields.contact", "missing"),
        ({"dialect": "meta"}, "meta", "required"),
        ({"meta": {"app_secret": "a", "access_token": "b"}}, "meta", "not_for_dialect"),
    ],
)
def test_a_source_that_could_not_work_is_refused(
    publisher: Member, changes: dict[str, Any], field: str, code: str
) -> None:
    refused = publisher.request("POST", "/sources", BODY | changes)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_source")
    assert (field, code) in [(fault["field"], fault["code"]) for fault in refused.json["errors"]]


def test_an_unknown_dialect_or_vertical_is_refused(publisher: Member) -> None:
    assert publisher.request("POST", "/sources", BODY | {"dialect": "klingon"}).status_code == 400
    assert publisher.request("POST", "/sources", BODY | {"vertical": "magic"}).status_code == 404


def test_a_change_counts_for_the_next_post(market: Market) -> None:
    market.make_order(market.make_buyer())
    source = make_source(market, "leadspedia")
    fields = {
        "contact.email": "my_mail",
        "attributes.course": {"column": "topic", "values": {"IT": "computer_science"}},
    }
    changed = source.member.request(
        "PATCH", f"/sources/{source.id}", {"fields": fields, "channel": "email", "name": "new"}
    )
    assert changed.status_code == 200 and changed.json["fields"] == fields and changed.json["region"] == "FR-IDF"
    person = a_person()
    assert post(source, "leadspedia", "", my_mail=person, topic="it").status_code == 200
    lead = source.member.get(f"/leads/{source.member.get('/leads')['items'][0]['id']}")
    assert (lead["contact"]["email"], lead["attributes"]) == (person, {"course": "computer_science"})
    assert (lead["channel"], lead["source"]["name"]) == ("email", "new")


@pytest.mark.parametrize(
    ("said", "region"),
    [
        ({"state": "TX"}, "US-TX"),
        ({"state": "texas"}, "US-TX"),
        ({"state": "Elsewhere"}, "US"),
        ({"country": "France"}, "FR"),
        ({"country": "FR", "state": "Île-de-France"}, "FR-IDF"),
        ({"country": "Canada", "state": "ON"}, "CA-ON"),
        ({"country": "FR", "state": "TX"}, "FR"),
        ({"country": "Nowhere"}, "US"),
        ({}, "US"),
    ],
)
def test_the_region_is_found_in_country_and_state(market: Market, said: dict[str, str], region: str) -> None:
    source = make_source(market, "leadspedia", region="US")
    post(source, "leadspedia", a_person(), **said)
    assert source.member.get(f"/leads/{source.member.get('/leads')['items'][0]['id']}")["region"] == region


def test_a_postal_code_may_tell_the_region(market: Market) -> None:
    by_code = [{"column": "zip_code", "values": {"75011": "FR-IDF"}, "unlisted": "skip"}, {"constant": "FR"}]
    source = make_source(market, "leadspedia", fields={"region": by_code})
    post(source, "leadspedia", a_person())
    assert source.member.get(f"/leads/{source.member.get('/leads')['items'][0]['id']}")["region"] == "FR-IDF"


def test_an_event_names_the_source_as_who_did_it(market: Market, database_url: str) -> None:
    source = make_source(market, "leadspedia")
    post(source, "leadspedia", a_person())
    assert (f"source:{source.id}",) in ask(database_url, "SELECT actor FROM marketplace.events")


def test_somebody_else_s_source_is_not_found(market: Market, publisher: Member) -> None:
    made = market.make_publisher().post("/sources", BODY)
    assert publisher.request("PATCH", f"/sources/{made['id']}", {"name": "mine"}).status_code == 404
    assert publisher.request("DELETE", f"/sources/{made['id']}").status_code == 404
    assert publisher.get("/sources")["items"] == []
    assert market.make_buyer("0").request("GET", "/sources").status_code == 403


def test_only_meta_s_sources_have_access_to_change(publisher: Member) -> None:
    made = publisher.post("/sources", BODY)
    patch = {"meta": {"app_secret": "a", "access_token": "b"}}
    assert publisher.request("PATCH", f"/sources/{made['id']}", patch).json["code"] == "invalid_source"
