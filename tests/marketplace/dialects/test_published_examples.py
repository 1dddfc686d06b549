"""The vendors' published shapes: their requests are understood over HTTP, and our answers have theirs."""

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.factories import Market
from tests.marketplace.dialects.speaking import Source, make_source

DATA = Path(__file__).parents[2] / "data" / "inbound"
JSON = {"content_type": "application/json"}
FORM = {"content_type": "application/x-www-form-urlencoded"}


def example(name: str, source: Source) -> bytes:
    """Read a published request and put the source's credentials into it."""
    key = list(source.credentials.values())[-1]
    number = next(iter(source.credentials.values()))
    return (
        (DATA / name).read_bytes().strip().replace(b"YOUR-NUMBER", number.encode()).replace(b"YOUR-KEY", key.encode())
    )


def published(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def names(xml: bytes) -> list[str]:
    return [one.tag for one in etree.fromstring(xml)]


def published_names(name: str) -> list[str]:
    return names((DATA / name).read_bytes())


def only_lead(source: Source, test: bool = False) -> Any:
    (listed,) = source.member.get(f"/leads?test={str(test).lower()}")["items"]
    return source.member.get(f"/leads/{listed['id']}")


@pytest.fixture
def bought(market: Market) -> Market:
    market.make_order(market.make_buyer(), "20.00")
    return market


def test_leadspedia(bought: Market) -> None:
    source = make_source(bought, "leadspedia", consent_text=None, region="US")
    answer = source.send(data=example("leadspedia/request_form.txt", source), **FORM)
    said = published("leadspedia/accepted.json")
    assert answer.json == said | {"lead_id": answer.json["lead_id"], "redirect_url": None, "errors": []}
    lead = only_lead(source)
    assert (lead["region"], lead["contact"]["address"], lead["consent"]["text"]) == (
        "FR", "1 rue de Rivoli", "Yes, schools may call me.")  # fmt: skip
    assert lead["source"]["sub"] == {"1": "spring", "2": "banner7"} and lead["source"]["ip"] == "203.0.113.9"


def test_leadspedia_by_query_in_xml(bought: Market) -> None:
    source = make_source(bought, "leadspedia")
    query = example("leadspedia/request_form.txt", source).replace(b"lp_response=json", b"lp_response=xml").decode()
    assert names(source.send("GET", query_string=query).data) == published_names("leadspedia/accepted.xml")
    again = source.send("GET", query_string=query)
    assert names(again.data) == published_names("leadspedia/rejected.xml")


@pytest.mark.parametrize("name", ["first_name", "last_name"])
def test_leadspedia_takes_a_person_named_test_for_a_test(bought: Market, name: str) -> None:
    source = make_source(bought, "leadspedia")
    form = source.credentials | {"email_address": "t@example.com", name: "Test"}
    assert b"success" in source.send(data=form).data
    assert only_lead(source, test=True)["test"]


def test_leadprosper(bought: Market) -> None:
    source = make_source(bought, "leadprosper", consent_text=None)
    answer = source.send(data=example("leadprosper/request.json", source), **JSON)
    lead_id = answer.json["lead_id"]
    assert answer.json == published("leadprosper/accepted.json") | {"id": lead_id, "lead_id": lead_id, "payout": 14.0}
    lead = only_lead(source)
    assert (lead["contact"]["postal_code"], lead["source"]["page_url"]) == ("75001", "https://example.com/form")


def test_leadprosper_s_errors(market: Market) -> None:
    source = make_source(market, "leadprosper")
    request = json.loads(example("leadprosper/request.json", source))
    unsold = source.send(json=request).json
    assert set(unsold) == set(published("leadprosper/rejected_no_buyer.json")) | {"payout"}
    invalid = source.send(json=request | {"email": "nobody"}).json
    assert set(invalid) == set(published("leadprosper/rejected_validation.json")) | {"code", "lead_id", "payout"}
    assert "e-mail" in invalid["error_meta"]["description"]
    assert source.send("GET", query_string=request).status_code == 405


def test_leadexec_version_1(bought: Market) -> None:
    source = make_source(bought, "leadexec", consent_text=None)
    request = example("leadexec/v1_request.txt", source)
    answer = source.send(data=request, **FORM)
    assert set(published_names("leadexec/v1_accepted.xml")) <= set(names(answer.data))
    again = source.send(ending="/json", data=request, **FORM).json
    said = published("leadexec/v1_duplicate.json")
    assert again == said | {"PostID": again["PostID"], "LeadIdentifier": again["LeadIdentifier"]}
    assert source.send("GET", query_string=request.decode() + "&response_type=json").json["ResponseType"] == 6


def test_leadexec_version_2(bought: Market) -> None:
    source = make_source(bought, "leadexec")
    request = published("leadexec/v2_request.json")
    request["source"] |= {"vid": int(source.credentials["VID"]), "lid": int(source.credentials["LID"])}
    refused = source.send(json=request, headers={"api-key": "another"}).json
    answer = source.send(json=request, headers={"api-key": source.credentials["Password"]}).json
    assert (refused["ResponseType"], answer["ResponseType"], answer["isValidPost"]) == (3, 0, True)
    assert only_lead(source)["external_id"] == "our-7"
    request["leads"][0]["properties"]["noSell"] = True
    request["leads"][0]["fields"] |= {"Email": "another@example.com", "Phone": None}
    bearer = {"Authorization": f"Bearer {source.credentials['Password']}"}
    assert source.send(json=request, headers=bearer).json["isValidPost"]
    assert only_lead(source, test=True)["test"]
    request["leads"] *= 2
    assert source.send(json=request, headers=bearer).json["ResponseType"] == 9


def test_leadbyte_classic(bought: Market) -> None:
    source = make_source(bought, "leadbyte")
    request = example("leadbyte/classic_request.txt", source).decode()
    answer = source.send("GET", query_string=request).json
    said = published("leadbyte/classic_accepted.json")
    assert list(answer) == list(said) and (answer["code"], answer["response"]) == (1, "OK")
    assert isinstance(answer["leadId"], int) and answer["info"]["payout"] == {"amount": "14.00", "currency": "EUR"}
    assert answer["info"]["reference"] == only_lead(source)["id"]
    again = source.send("GET", query_string=request).json
    assert list(again) == list(published("leadbyte/classic_rejected.json")) and again["leadId"] is None
    mistyped = request.replace("ada.b@example.com", "nobody").replace("5555", "5556").replace("returnjson=yes&", "")
    assert source.send("GET", query_string=mistyped).text == "-12 | Email rejection"


def test_leadbyte_classic_in_text(bought: Market) -> None:
    source = make_source(bought, "leadbyte")
    request = example("leadbyte/classic_request.txt", source).decode().replace("returnjson=yes&", "")
    assert source.send("GET", query_string=request).data == (DATA / "leadbyte/classic_accepted_text.txt").read_bytes()


@pytest.mark.parametrize("shape", ["flat", "lead", "leads"])
def test_leadbyte_rest(bought: Market, shape: str) -> None:
    source = make_source(bought, "leadbyte")
    lead = json.loads(example("leadbyte/rest_request.json", source))
    body = {"flat": lead, "lead": {"key": source.credentials["sid"], "lead": lead}, "leads": {"leads": [lead]}}[shape]
    headers = {} if shape == "lead" else {"X-KEY": source.credentials["sid"]}
    answer = source.send(json=body, headers=headers).json
    said = published("leadbyte/rest_queued.json")
    assert answer == said | {"results": [said["results"][0] | {"queueId": only_lead(source)["id"]}]}
    again = source.send(json=body, headers=headers).json
    assert (again["status"], again["code"], again["results"]) == ("Error", -2, [])
    assert source.send(json=lead).json["code"] == -7


def test_boberdoo(bought: Market) -> None:
    source = make_source(bought, "boberdoo", consent_text=None)
    answer = source.send(data=example("boberdoo/request_form.txt", source), **FORM).json
    said = published("boberdoo/matched.json")
    assert answer == {"response": said["response"] | {"lead_id": only_lead(source)["id"]}}


def test_boberdoo_in_xml(bought: Market) -> None:
    source = make_source(bought, "boberdoo")
    request = example("boberdoo/request_form.txt", source).replace(b"Format=JSON", b"Format=XML")
    assert names(source.send(data=request, **FORM).data) == published_names("boberdoo/matched.xml")
    assert names(source.send(data=request, **FORM).data) == published_names("boberdoo/error.xml")
    elsewhere = request.replace(b"ada.d%40", b"ada.z%40").replace(b"7777", b"7778") + b"&Country=Japan"
    bought.make_order(bought.make_buyer(), regions=["FR"])
    assert source.send(data=elsewhere, **FORM).status_code == 200


def test_boberdoo_s_api_in_json_and_xml(bought: Market) -> None:
    source = make_source(bought, "boberdoo", consent_text=None)
    request = json.loads(example("boberdoo/pingpost_request.json", source))
    as_xml = "".join(f"<{name}>{text}</{name}>" for name, text in request["Request"].items())
    assert source.send(json=request).json["response"]["status"] == "Matched"
    repeated = source.send(data=f"<Request>{as_xml}</Request>", content_type="text/xml").json["response"]
    assert repeated == {"status": "Error", "error": "Duplicate lead."}
    request["Request"] |= {"Mode": "ping", "Email": "ping@example.com"}
    assert "Pings are not taken here" in source.send(json=request).text
    assert [lead["status"] for lead in source.member.get("/leads")["items"]] == ["rejected", "sold"]


def test_a_multipart_form_is_a_form(bought: Market) -> None:
    source = make_source(bought, "leadprosper")
    form = source.credentials | {"first_name": "Zoé", "email": "zoe@example.com"}
    assert source.send(data=form, content_type="multipart/form-data").json["status"] == "ACCEPTED"
    assert only_lead(source)["contact"]["first_name"] == "Zoé"


def test_a_form_in_a_charset_that_is_named_is_read(bought: Market) -> None:
    source = make_source(bought, "leadprosper")
    form = "&".join(f"{name}={text}" for name, text in source.credentials.items())
    kind = "application/x-www-form-urlencoded; charset=iso-8859-1"
    answer = source.send(data=f"{form}&first_name=Zo%E9&email=zoe@example.com".encode(), content_type=kind)
    assert answer.json["status"] == "ACCEPTED"
    assert only_lead(source)["contact"]["first_name"] == "Zoé"
