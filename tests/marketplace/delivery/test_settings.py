"""Settings of a delivery: one shape a kind, and every fault at once."""

import pytest

from core.errors import Malformed
from marketplace.leads.delivery.settings import HttpDelivery, NoDelivery, delivery_of
from tests.marketplace.delivery.parcels import faults_of, settings_of

URL = "https://crm.example/leads"


def test_each_kind_has_its_own_shape() -> None:
    assert delivery_of({"kind": "none", "url": None}) == NoDelivery()
    assert isinstance(settings_of("http", url=URL, fields={"id": "lead_id"}), HttpDelivery)
    assert settings_of("webhook", url=URL).mode == "async"


def test_wrong_types_and_names_are_all_named() -> None:
    with pytest.raises(Malformed) as refused:
        delivery_of({"kind": "http", "url": 5, "methd": "POST", "timeout_seconds": "1"})

    assert {fault.field for fault in refused.value.faults} == {"url", "methd", "timeout_seconds"}
    with pytest.raises(Malformed):
        delivery_of({"kind": "pigeon"})


def test_all_faults_of_a_request_are_found_at_once() -> None:
    found = faults_of(
        "http",
        url="http://crm.example/",
        headers={"Host": "x", "X\r\nY": "x", "X-Line": "a\r\nEvil: b", "X-Name": "{{ contact.nme }}"},
        fields={"a": "contact.nope", "b": {"from": "score", "constant": 1}, "c": {"from": "score", "format": "loud"},
                "d": {"template": "{% for %}"}, "e.f": "score", "e": "score"},
        timeout_seconds=900,
        answer={"decide": [{"outcome": "accepted", "json": "$["}, {"outcome": "refused", "regex": "(?=x)"}],
                "reason": [{"xpath": "//a[b[c]]"}, {}]},
    )  # fmt: skip

    assert found == {
        "url": "invalid_url", "timeout_seconds": "out_of_range", "headers.Host": "not_settable",
        "headers": "invalid_name", "headers.X-Line": "invalid_value", "headers.X-Name": "bad_template",
        "fields.a.from": "unknown_field", "fields.b": "one_source", "fields.c.format": "unknown_value",
        "fields.d.template": "bad_template", "fields.e": "wrong_columns", "answer.decide.0.json": "invalid_pattern",
        "answer.decide.1.regex": "invalid_pattern", "answer.reason.0.xpath": "invalid_pattern",
        "answer.reason.1": "one_source",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "Connection", "webhook-signature", "X-Forwarded-For", "Proxy-Auth"],
)
def test_headers_of_the_connection_are_not_settable(name: str) -> None:
    assert faults_of("http", url=URL, headers={name: "x"}, fields={"a": "score"})[f"headers.{name}"] == "not_settable"


@pytest.mark.parametrize(
    "url",
    ["ftp://crm.example/", "https://", "https://user:pw@crm.example/", "https://crm.example/a b", "javascript:alert(1)",
     "https://crm.example/\r\nX: y", "https://crm.example:99999/", "https://[::1", "https://crm.example/#part",
     "https://crm.example\\@evil.example/"],
)  # fmt: skip
def test_only_plain_addresses_are_taken(url: str) -> None:
    assert faults_of("webhook", url=url) == {"url": "invalid_url"}


def test_a_body_must_be_of_its_format() -> None:
    assert faults_of("http", url=URL, format="json", body='{"a": {{ contact.email }}}') == {"body": "bad_template"}
    assert faults_of("http", url=URL, format="xml", body="<a>{{ contact.email }}</b>") == {"body": "bad_template"}
    assert faults_of("http", url=URL, format="json", body='{"a": {{ contact.email | json }}}') == {}
    assert faults_of("http", url=URL, format="json", body='{"a": "{{ contact.nothing }}"}') == {"body": "bad_template"}


def test_a_template_asks_for_what_only_the_buyer_has() -> None:
    assert faults_of("http", url=URL, template="leadspedia") == {
        "fields.lp_campaign_id": "missing",
        "fields.lp_campaign_key": "missing",
    }
    assert faults_of("http", url=URL, template="fax") == {"template": "unknown_value"}


def test_a_request_says_something() -> None:
    assert faults_of("http", url=URL) == {"fields": "required"}


def test_names_of_xml_are_names() -> None:
    found = faults_of("http", url=URL, format="xml", root="my lead", fields={"1a": "score", "a.@b.c": "score"})

    assert found == {"root": "invalid_name", "fields.1a": "invalid_name", "fields.a.@b.c": "invalid_name"}


@pytest.mark.parametrize(
    ("form", "names"),
    [("json", ["a.0", "a.b"]), ("json", ["a.b.0", "a.b.c"]), ("xml", ["a.0.0"]), ("xml", ["0"]), ("xml", ["xmlns"]),
     ("json", ["a.999"]), ("json", [".".join("abcdefghijkl")])],
)  # fmt: skip
def test_names_that_no_body_can_hold_are_refused(form: str, names: list[str]) -> None:
    found = faults_of("http", url=URL, format=form, fields=dict.fromkeys(names, "score"))

    assert set(found.values()) == {"invalid_name"}


def test_own_fields_must_fit_the_template_s() -> None:
    keys = {name: {"constant": "1"} for name in ("lp_campaign_id", "lp_supplier_id", "lp_key")}

    assert faults_of("http", url=URL, template="leadprosper", fields={**keys, "email.work": "score"}) == {
        "fields.email.work": "wrong_columns"
    }


def test_soap_needs_a_uri_and_get_has_no_body() -> None:
    fields = {"a": "score"}

    assert faults_of("http", url=URL, format="soap", namespace="a%zz", fields=fields) == {"namespace": "invalid_value"}
    assert faults_of("http", url=URL, format="soap", soap_action='a"b', fields=fields) == {
        "soap_action": "invalid_value"
    }
    assert faults_of("http", url=URL, method="GET", format="text", body="x", fields=fields) == {"body": "invalid_value"}


def test_faults_of_the_other_kinds() -> None:
    assert faults_of("webhook", url=URL, secret="whsec_c2hvcnQ=") == {"secret": "invalid_secret"}
    assert faults_of("email", to="ada@mail.example\r\nBcc: all@mail.example") == {"to": "invalid_email"}
    assert faults_of("adf", vendor="", fields={"wheels": "score"}) == {
        "url": "one_source", "vendor": "invalid_name", "fields.wheels": "unknown_field",
    }  # fmt: skip
    assert faults_of("csv", columns={}, sftp_url="sftp://host/x", schedule={"hours": [24], "timezone": "Mars"}) == {
        "sftp_url": "invalid_url", "host_key": "required", "columns": "required",
        "schedule.hours": "out_of_range", "schedule.timezone": "unknown_timezone",
    }  # fmt: skip
