"""Whatever comes in, the answer is in the dialect's own form, nothing is stored by halves, and no trace leaks."""

from contextlib import suppress
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from werkzeug.test import TestResponse

from core.errors import Malformed
from marketplace.leads.dialects import DIALECTS, Outcome, Request
from marketplace.leads.dialects.documents import read_xml, write_xml
from marketplace.leads.intake import Intake
from tests.at_once import ask
from tests.conftest import START
from tests.factories import Market
from tests.marketplace.dialects.speaking import Source, a_person, fields_of, make_source, post

EVERY = tuple(DIALECTS)
BOMB = (
    b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]><Request><First_Name>&j;</First_Name></Request>"""
    % b"".join(b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefghij")
)
FILE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Request><First_Name>&f;</First_Name></Request>'
REMOTE = b'<!DOCTYPE Request SYSTEM "http://127.0.0.1:9/x.dtd"><Request><TYPE>1</TYPE></Request>'
HIDDEN = FILE.decode().join(('<?xml version="1.0" encoding="utf-16"?>', "")).encode("utf-16")
BODIES = {
    "nothing": b"",
    "nested brackets": b'{"a":' + b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "nested elements": b"<a>" * 100_000,
    "an entity bomb": BOMB,
    "a file as entity": FILE,
    "a remote document type": REMOTE,
    "a document type in UTF-16": HIDDEN,
    "half a document": b"<Request><TYPE>",
    "a NUL": b"\0",
    "NULs": b"a=\0&b=%00",
    "no UTF-8": b"first_name=\xff\xfe%ff",
    "a list": b"[1,2]",
    "many fields": b"&".join(b"a%d=1" % number for number in range(5000)),
    "twice": b"lp_campaign_id=1&lp_campaign_id=2&VID=1&vid=2&campid=1&campid=2&TYPE=1&TYPE=2",
    "surrogates": b'{"first_name":"\\ud800"}',
    "lists of leads": b'{"leads":[1,2,3]}',
    "a lead that is none": b'{"leads":[{}],"lead":5,"Request":[]}',
}  # fmt: skip


def is_in_form(dialect: str, response: TestResponse) -> Any:
    """Tell whether an answer says no in the form of its dialect, without a trace of our insides."""
    text = response.text
    assert "Traceback" not in text and "psycopg" not in text and len(text) < 5000
    if dialect in ("leadspedia", "boberdoo"):
        tags = [one.tag for one in etree.fromstring(response.data)]
        return tags[0] in ("result", "status") and "error" in text
    if dialect == "adf":
        return etree.fromstring(response.data)[0].text == "error"
    if dialect == "leadprosper":
        return response.json["status"] == "ERROR" and isinstance(response.json["code"], int)
    if dialect == "leadexec":
        return "<isValidPost>false<" in text or response.json["isValidPost"] is False
    if dialect == "leadbyte":
        return text.startswith("-") or response.json["code"] < 0
    return response.status_code >= 400 and list(response.json) == ["message"]


@pytest.fixture
def sources(market: Market) -> dict[str, Source]:
    return {dialect: make_source(market, dialect) for dialect in EVERY}


def stored(database_url: str) -> list[tuple[Any, ...]]:
    return ask(database_url, "SELECT id FROM marketplace.leads")


def test_unreadable_bodies(sources: dict[str, Source], database_url: str) -> None:
    for dialect, source in sources.items():
        for name, body in BODIES.items():
            for kind in ("application/x-www-form-urlencoded", "application/json", "text/xml", "multipart/form-data"):
                answer = source.send(data=body, content_type=kind)
                assert answer.status_code < 500 and is_in_form(dialect, answer), (dialect, name, answer.text)
    assert stored(database_url) == []


def test_a_body_of_ten_megabytes(sources: dict[str, Source], database_url: str) -> None:
    for dialect, source in sources.items():
        answer = source.send(data=b"a=" + b"b" * 10_000_000, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 413 and is_in_form(dialect, answer), dialect
    assert stored(database_url) == []


def test_what_is_readable_and_no_lead(sources: dict[str, Source], database_url: str) -> None:
    for dialect, source in sources.items():
        if dialect == "google":
            continue
        for changes in ({"first": "\0"}, {"first": "x" * 5000}, {"email": "x" * 400 + "@example.com"}):
            fields = fields_of(dialect, changes.get("email", a_person()))
            fields[next(iter(fields))] = changes.get("first", "Ada")
            answer = source.send(data=source.credentials | fields)
            assert answer.status_code == 200 and is_in_form(dialect, answer), (dialect, answer.text)
    assert stored(database_url) == []


def test_a_field_s_fault_is_told_by_the_vendor_s_name(sources: dict[str, Source]) -> None:
    answer = post(sources["leadspedia"], "leadspedia", a_person(), first_name="x" * 101, lp_response="json")
    assert answer.json["errors"] == [{"field": "first_name", "error": "Send text of length at most 100."}]


def test_credentials_in_the_wrong_place(sources: dict[str, Source], database_url: str) -> None:
    for dialect, source in sources.items():
        key = list(source.credentials.values())[-1]
        lead = {"email": a_person(), "email_address": a_person()}
        for headers in ({"Authorization": f"Basic {key}"}, {"Cookie": f"lp_key={key}"}, {"X-Api-Key": key}):
            answer = source.send(json=lead, headers=headers)
            assert is_in_form(dialect, answer), dialect
    assert stored(database_url) == []


def test_another_source_s_credentials(sources: dict[str, Source], market: Market, database_url: str) -> None:
    for dialect, source in sources.items():
        other = make_source(market, dialect)
        answer = source.send(json=other.credentials | {"email": a_person()})
        assert is_in_form(dialect, answer), dialect
    assert stored(database_url) == []


@pytest.mark.parametrize(
    "source_id", ["x", "src_" + "0" * 26, "lead_" + "0" * 26, "%00", "src_" + "u" * 26, "0" * 3000]
)
def test_an_unknown_source(app: Flask, source_id: str) -> None:
    for dialect in EVERY:
        answer = app.test_client().post(f"/in/{dialect}/{source_id}", json={})
        assert is_in_form(dialect, answer), (dialect, answer.text)


def test_a_source_of_another_dialect_and_a_closed_one(sources: dict[str, Source], database_url: str) -> None:
    source = sources["leadprosper"]
    elsewhere = source.path.replace("leadprosper", "leadspedia")
    assert b"failed" in source.member.app.test_client().post(elsewhere, data=source.credentials).data
    assert source.member.request("DELETE", f"/sources/{source.id}").json["status"] == "closed"
    assert post(source, "leadprosper", a_person()).json["code"] == 1001
    assert stored(database_url) == []


def test_an_unknown_dialect_is_a_plain_404(app: Flask) -> None:
    for path in ("/in/nobody/src_1", "/in/meta/src_1/more", "/in/pigeon/src_1"):
        assert app.test_client().post(path).json["code"] == "not_found"


def test_other_methods_are_refused(sources: dict[str, Source]) -> None:
    for dialect, source in sources.items():
        for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
            assert source.send(method).status_code == 405, (dialect, method)
    assert sources["google"].send("GET").json == {"message": "The method is not allowed for the requested URL."}


def test_a_suspended_account_s_source_takes_nothing(sources: dict[str, Source], database_url: str) -> None:
    ask(database_url, "UPDATE core.accounts SET standing = 'suspended' RETURNING id")
    assert "<ResponseType>Account_Disabled<" in post(sources["leadexec"], "leadexec", a_person()).text


def test_a_paused_publisher_s_leads_are_rejected(market: Market) -> None:
    market.make_order(market.make_buyer())
    source = make_source(market, "leadprosper")
    market.make_operator().request("PATCH", f"/publishers/{source.member.id}", {"standing": "paused"})
    said = post(source, "leadprosper", a_person()).json
    assert said["status"] == "ERROR" and "paused" in said["error_meta"]["description"]


@pytest.mark.parametrize(("error", "status"), [(psycopg.OperationalError("gone"), 503), (RuntimeError("a bug"), 500)])
def test_what_fails_inside_is_told_without_its_trace(
    sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Intake, "take", fail)
    for dialect in EVERY:
        source = sources[dialect]
        if dialect == "google":
            columns = [{"column_id": "EMAIL", "string_value": a_person()}]
            answer = source.send(json=source.credentials | {"lead_id": "1", "user_column_data": columns})
        else:
            answer = post(source, dialect, a_person())
        assert answer.status_code == status and is_in_form(dialect, answer), dialect
        assert ("Retry-After" in answer.headers) is (status == 503)


requests = st.builds(
    Request, method=st.sampled_from(["GET", "POST"]), media_type=st.sampled_from(["", "application/json", "text/xml"]),
    charset=st.sampled_from(["utf-8", "latin-1", "nonsense", "utf-16"]), query=st.binary(max_size=50),
    body=st.binary(max_size=200) | st.sampled_from(list(BODIES.values())), ending=st.text(max_size=10),
)  # fmt: skip


@given(requests)
def test_every_dialect_reads_or_refuses_any_request(request: Request) -> None:
    for dialect in DIALECTS.values():
        with suppress(Malformed):
            posted = dialect.read(request)
            dialect.answer(Outcome("unsold", START), posted.form)


@given(st.text())
def test_xml_that_is_written_can_be_read_again(text: str) -> None:
    said = read_xml(write_xml("response", [("a", text), ("b", [("c", "<&>")])]))
    assert said["b"] == {"c": "<&>"}
    if text.isprintable():
        assert said["a"] == text.strip()
