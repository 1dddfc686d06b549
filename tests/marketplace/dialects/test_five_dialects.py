"""One lead in five dialects gives five correct answers, each in its dialect's own form."""

from typing import Any

import pytest

from tests.factories import Market
from tests.marketplace.dialects.speaking import TEST_FLAG, a_person, elements, make_source, post, register

FIVE = ("leadspedia", "leadprosper", "leadexec", "leadbyte", "boberdoo")


def answer_of(dialect: str, response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    if dialect == "leadprosper":
        assert response.content_type == "application/json"
        return response.json or {}
    if dialect == "leadbyte":
        code, _, text = response.text.partition(" | ")
        assert response.content_type.startswith("text/plain")
        return {"code": int(code), "response": text}
    return elements(response)


def expect(answer: dict[str, Any], said: dict[str, Any]) -> None:
    assert {name: answer.get(name) for name in said} == said


SOLD: dict[str, dict[str, Any]] = {
    "leadspedia": {"result": "success", "price": "14.00", "msg": "Lead Accepted", "redirect_url": ""},
    "leadprosper": {"status": "ACCEPTED", "code": 0, "payout": 14.0, "message": "Accepted"},
    "leadexec": {"isValidPost": "true", "ResponseType": "No_Error", "ResponseDetail": "Lead was accepted"},
    "leadbyte": {"code": 1, "response": "OK"},
    "boberdoo": {"status": "Matched", "price": "14.00"},
}
UNSOLD = {
    "leadspedia": {"result": "failed", "price": "0.00", "msg": "Lead Rejected", "errors": "No Match"},
    "leadprosper": {"status": "ERROR", "code": 1006, "message": "Error: no buyers available", "payout": 0.0},
    "leadexec": {"isValidPost": "false", "ResponseType": "Outside_Criteria"},
    "leadbyte": {"code": -4, "response": "Campaign cap reached"},
    "boberdoo": {"status": "Unmatched", "price": "0.00"},
}
DUPLICATE: dict[str, dict[str, Any]] = {
    "leadspedia": {"result": "failed", "errors": "Duplicate Lead"},
    "leadprosper": {"status": "DUPLICATED", "message": "Duplicated"},
    "leadexec": {"isValidPost": "false", "ResponseType": "Duplicate_Lead"},
    "leadbyte": {"code": -2, "response": "Duplicate or resubmission"},
    "boberdoo": {"status": "Error", "error": "Duplicate lead."},
}
REJECTED = {
    "leadspedia": {"result": "failed", "msg": "Lead Rejected", "price": "0.00"},
    "leadprosper": {"status": "ERROR", "code": 1015, "error_code": 1015, "message": "Error: lead failed validation"},
    "leadexec": {"isValidPost": "false", "ResponseType": "Data_Errors"},
    "leadbyte": {"code": -5, "response": "Validation error"},
    "boberdoo": {"status": "Error"},
}
STRANGER = {
    "leadspedia": {"result": "failed", "lead_id": "", "errors": "Invalid campaign ID or key"},
    "leadprosper": {"status": "ERROR", "code": 1001},
    "leadexec": {"isValidPost": "false", "ResponseType": "Vendor_ID_Missing", "LeadIdentifier": "0"},
    "leadbyte": {"code": -7, "response": "Supplier not authorised"},
    "boberdoo": {"status": "Error", "error": "Invalid TYPE, SRC or Key."},
}
CLOSED = {
    "leadspedia": {"result": "failed", "errors": "Campaign is not active"},
    "leadprosper": {"status": "ERROR", "message": "The supplier is not active"},
    "leadexec": {"ResponseType": "Account_Disabled"},
    "leadbyte": {"code": -9, "response": "Campaign not active"},
    "boberdoo": {"status": "Error", "error": "This source is not active."},
}
SAYS_YES = {"result", "status", "isValidPost", "ResponseType", "code"}
ID_FIELD = {"leadspedia": "lead_id", "leadprosper": "lead_id", "leadexec": "PostID", "boberdoo": "lead_id"}


@pytest.mark.parametrize("dialect", FIVE)
def test_a_lead_is_sold_and_its_publisher_paid(market: Market, dialect: str) -> None:
    market.make_order(market.make_buyer(), "20.00", max_share=1)
    source, person = make_source(market, dialect), a_person()
    answer = answer_of(dialect, post(source, dialect, person))
    expect(answer, SOLD[dialect])
    (listed,) = source.member.get("/leads")["items"]
    lead = source.member.get(f"/leads/{listed['id']}")
    assert (lead["status"], lead["payout"]["amount"], lead["region"]) == ("sold", "14.00", "FR-IDF")
    assert (lead["contact"]["first_name"], lead["contact"]["email"]) == ("Ada", person)
    assert (lead["contact"]["postal_code"], lead["contact"]["city"]) == ("75011", "Paris")
    assert (lead["channel"], lead["source"]["name"]) == ("affiliate", f"{dialect} forms")
    if dialect in ("leadspedia", "leadprosper", "boberdoo"):
        assert answer["lead_id"] == lead["id"]


@pytest.mark.parametrize("dialect", FIVE)
def test_what_nobody_buys_is_no_success(market: Market, dialect: str) -> None:
    source = make_source(market, dialect)
    answer = answer_of(dialect, post(source, dialect, a_person()))
    expect(answer, UNSOLD[dialect])
    assert dialect == "leadbyte" or answer[ID_FIELD[dialect]]
    assert [lead["status"] for lead in source.member.get("/leads")["items"]] == ["unsold"]


@pytest.mark.parametrize("dialect", FIVE)
def test_a_person_who_was_sold_is_a_duplicate(market: Market, dialect: str) -> None:
    market.make_order(market.make_buyer())
    publisher, person = market.make_publisher(), a_person()
    expect(answer_of(dialect, post(register(publisher, dialect), dialect, person)), SOLD[dialect])
    expect(answer_of(dialect, post(register(publisher, dialect), dialect, person)), DUPLICATE[dialect])


@pytest.mark.parametrize("dialect", FIVE)
def test_a_lead_that_is_judged_bad_is_rejected_with_what_to_do(market: Market, dialect: str) -> None:
    market.make_order(market.make_buyer())
    source = make_source(market, dialect, consent_text=None)
    response = post(source, dialect, a_person())
    expect(answer_of(dialect, response), REJECTED[dialect])
    assert dialect == "leadbyte" or "Send the consent" in response.text


@pytest.mark.parametrize("dialect", FIVE)
def test_what_is_no_lead_is_refused_and_counted_and_not_stored(market: Market, dialect: str) -> None:
    source = make_source(market, dialect)
    response = source.send(data=source.credentials)
    expect(answer_of(dialect, response), REJECTED[dialect])
    assert dialect == "leadbyte" or "Send at least one of email, phone and profile_url" in response.text
    assert source.member.get("/leads")["items"] == []
    (counted,) = source.member.get("/refusals")["items"]
    assert (counted["field"], counted["code"], counted["refused"]) == ("contact", "no_contact_channel", 1)


@pytest.mark.parametrize("dialect", FIVE)
def test_unknown_credentials_and_unknown_sources_are_told_alike(market: Market, dialect: str) -> None:
    source = make_source(market, dialect)
    for name in source.credentials:
        expect(answer_of(dialect, post(source, dialect, a_person(), **{name: "another"})), STRANGER[dialect])
    elsewhere = source.member.app.test_client().post(f"/in/{dialect}/src_{'0' * 26}", data=source.credentials)
    expect(answer_of(dialect, elsewhere), STRANGER[dialect])
    assert source.member.get("/leads")["items"] == []
    assert {one["code"] for one in source.member.get("/refusals")["items"]} == {"unknown_source_key"}


@pytest.mark.parametrize("dialect", FIVE)
def test_a_paused_source_takes_nothing(market: Market, dialect: str) -> None:
    source = make_source(market, dialect)
    assert source.member.request("PATCH", f"/sources/{source.id}", {"status": "paused"}).status_code == 200
    expect(answer_of(dialect, post(source, dialect, a_person())), CLOSED[dialect])
    assert source.member.get("/leads")["items"] == []


@pytest.mark.parametrize("dialect", TEST_FLAG)
def test_a_test_post_is_accepted_and_never_sold(market: Market, dialect: str) -> None:
    market.make_order(market.make_buyer())
    source = make_source(market, dialect)
    answer = answer_of(dialect, post(source, dialect, a_person(), **TEST_FLAG[dialect]))
    assert answer.get("price", "0.00") == "0.00" and answer.get("payout", 0) == 0
    expect(answer, {name: value for name, value in SOLD[dialect].items() if name in SAYS_YES})
    assert source.member.get("/leads")["items"] == []
    assert [lead["test"] for lead in source.member.get("/leads?test=true")["items"]] == [True]
