"""ADF as car sites post it is understood, malformed too, and answered in XML; what attacks the reader does nothing."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.at_once import ask
from tests.factories import Market
from tests.marketplace.dialects.speaking import Source, a_person, adf_of, elements, make_source

DATA = Path(__file__).parents[2] / "data" / "dialects" / "adf"
CAR = {"attributes.course": {"constant": "business"}, "attributes.occupation": {"constant": "student"}}


def car_source(market: Market, **changes: object) -> Source:
    return make_source(market, "adf", **({"fields": CAR} | changes))


def send(source: Source, document: bytes | str, **request: object) -> dict[str, str]:
    answer = source.send(data=document, query_string=source.credentials, content_type="text/xml", **request)
    assert answer.status_code == 200, answer.text
    return elements(answer)


def only_lead(source: Source) -> Any:
    (listed,) = source.member.get("/leads")["items"]
    return source.member.get(f"/leads/{listed['id']}")


def test_a_prospect_is_sold_and_its_publisher_paid(market: Market) -> None:
    market.make_order(market.make_buyer(), "20.00")
    source, person = car_source(market), a_person()
    said = send(source, adf_of(first="Ada", last="Martin", email=person, city="Paris", postalcode="75011"))
    lead = only_lead(source)
    assert said == {"status": "accepted", "lead_id": lead["id"], "price": "14.00"}
    assert {name: lead["contact"][name] for name in ("first_name", "last_name", "email", "city", "postal_code")} == {
        "first_name": "Ada", "last_name": "Martin", "email": person, "city": "Paris", "postal_code": "75011",
    }  # fmt: skip
    assert send(source, adf_of(email=person))["status"] == "duplicate"


def test_the_malformed_sample_of_the_format_is_accepted(market: Market) -> None:
    source = car_source(market, region="US")
    assert send(source, (DATA / "plain.xml").read_bytes())["status"] == "unsold"
    lead = only_lead(source)
    assert (lead["contact"]["first_name"], lead["contact"]["last_name"], lead["contact"]["phone"]) == (
        "Nora", "Quist", "+12125550145")  # fmt: skip
    assert lead["comments"] == "Winter tyres & a towbar?"


@pytest.mark.parametrize("name", ["declarations.xml.txt", "extra.xml", "invented.xml"])
def test_documents_of_the_wild_are_leads(market: Market, name: str) -> None:
    source = car_source(market)
    assert send(source, (DATA / name).read_bytes())["status"] in ("unsold", "rejected")
    assert len(source.member.get("/leads")["items"]) == 1


def test_a_part_of_the_vehicle_fills_an_attribute(market: Market) -> None:
    source = car_source(market, fields=CAR | {"attributes.course": {"column": "make", "values": {"Saab": "business"}},
                                              "source.sub.3": "model"})  # fmt: skip
    document = adf_of(email=a_person()).replace(
        "<customer>", "<vehicle><make>SAAB</make><model>9-5</model></vehicle><customer>"
    )
    assert send(source, document)["status"] == "unsold"
    lead = only_lead(source)
    assert (lead["attributes"]["course"], lead["source"]["sub"]["3"]) == ("business", "9-5")


def test_the_key_comes_by_query_header_or_sign_in(market: Market) -> None:
    source = car_source(market)
    key = source.credentials["key"]
    basic = b64encode(f"site:{key}".encode()).decode()
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"Basic {basic}"}, {"X-Api-Key": key}):
        answer = source.send(data=adf_of(email=a_person()), headers=headers)
        assert elements(answer)["status"] == "unsold", headers
    answer = source.send(data=adf_of(email=a_person()), query_string={"key": "wrong"})
    assert elements(answer) == {"status": "error", "message": "The key of this source is missing or unknown."}


def test_a_test_is_taken_and_not_sold(market: Market) -> None:
    market.make_order(market.make_buyer())
    source = car_source(market)
    document = adf_of(email=a_person()).replace("</contact>", "</contact><comments>This is a test, ignore.</comments>")
    assert send(source, document)["price"] == "0.00"
    assert source.member.get("/leads?test=true")["items"][0]["status"] == "unsold"


def test_two_prospects_and_faults_are_told(market: Market) -> None:
    source = car_source(market)
    two = "<adf><prospect/><prospect/></adf>"
    assert send(source, two) == {"status": "error", "message": "Send one prospect a request."}
    nobody = send(source, "<adf><prospect><customer/></prospect></adf>")
    assert nobody["status"] == "error" and "contact" in nobody["message"]
    long = send(source, adf_of(first="x" * 500, email=a_person()))
    assert long["status"] == "error" and long["message"].startswith("first_name:")


@pytest.mark.parametrize("hostile", [
    '<!DOCTYPE adf [<!ENTITY x SYSTEM "file:///etc/passwd">]>%s',
    '<!DOCTYPE adf SYSTEM "http://127.0.0.1:9/adf.dtd">%s',
    '<!DOCTYPE adf [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>%s',
])  # fmt: skip
def test_entities_and_document_types_are_refused(market: Market, hostile: str, database_url: str) -> None:
    source = car_source(market)
    document = adf_of(first="&x;&c;", email=a_person())
    assert send(source, hostile % document)["status"] == "error"
    assert send(source, (hostile % document).encode("utf-16"))["status"] == "error"
    assert ask(database_url, "SELECT id FROM marketplace.leads") == []


def test_an_entity_without_a_document_type_stays_text(market: Market) -> None:
    source = car_source(market)
    assert send(source, adf_of(first="&xxe; Ada", email=a_person()))["status"] == "unsold"
    assert only_lead(source)["contact"]["first_name"] == "&xxe; Ada"
