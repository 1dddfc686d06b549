"""Requests, e-mails and sheets: the parcel on its way."""

import csv
import io
import json
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from core.errors import Invalid
from marketplace.leads.delivery.adf import read_adf
from marketplace.leads.delivery.answers import WEBHOOK_RULES
from marketplace.leads.delivery.checks import delivery_faults
from marketplace.leads.delivery.mails import mail_of
from marketplace.leads.delivery.parcel import plain_of
from marketplace.leads.delivery.requests import request_of, rules_of
from marketplace.leads.delivery.settings import delivery_of
from marketplace.leads.delivery.sheets import csv_of, sheet_of
from marketplace.leads.submission import Contact
from tests.marketplace.delivery.parcels import example, make_parcel, settings_of

URL = "https://crm.example/leads?a=1"


def test_the_webhook_says_all_that_the_buyer_may_see() -> None:
    request = request_of(settings_of("webhook", url=URL), make_parcel())
    document = json.loads(request.body)

    assert (request.method, request.url, request.headers) == ("POST", URL, {"Content-Type": "application/json"})
    assert document["type"] == "lead.delivery" and document["timestamp"] == "2026-03-04T05:06:07Z"
    assert document["data"]["contact"]["email"] == "ada.obrien@mail.example"
    assert document["data"]["price"] == {"amount": "12.50", "currency": "EUR"}
    assert document["data"] == plain_of(make_parcel())
    assert "sub" not in document["data"]


def test_get_puts_the_fields_into_the_query() -> None:
    settings = settings_of("http", url=URL, method="GET", query={"q": "score"}, fields={"n": "contact.company"})
    request = request_of(settings, make_parcel())

    assert request.url == URL + "&q=80&n=Dupont+%26+Fils+%3CSARL%3E"
    assert request.body == b""


def test_a_body_of_the_buyer_s_own_and_headers_with_values() -> None:
    settings = settings_of(
        "http", url=URL, method="PUT", format="json", headers={"X-Lead": "{{ lead_id }}", "Content-Type": "text/json"},
        fields={"phone": {"from": "contact.phone", "format": "national"}},
        body='{"p": "{{ fields.phone }}", "c": "{{ comments }}"}',
    )  # fmt: skip
    request = request_of(settings, make_parcel())

    assert json.loads(request.body) == {"p": "0199004567", "c": 'Call\r\n"soon" & <loud>'}
    assert request.headers == {"X-Lead": "lead_1", "Content-Type": "text/json"}


def test_soap_names_its_action() -> None:
    settings = settings_of("http", url=URL, format="soap", root="Add", soap_action="urn:crm#Add", fields={"a": "score"})

    assert request_of(settings, make_parcel()).headers["SOAPAction"] == '"urn:crm#Add"'


@given(st.text())
def test_no_text_of_a_person_can_begin_another_header(text: str) -> None:
    settings = settings_of("http", url=URL, headers={"X-Note": "n: {{ comments }}"}, fields={"a": "score"})

    value = request_of(settings, make_parcel(comments=text)).headers["X-Note"]

    assert value.isascii() and value.isprintable()


def test_a_lead_too_large_for_a_template_is_refused_in_words() -> None:
    settings = settings_of("http", url=URL, fields={"a": {"template": "{{ comments | append: comments }}"}})

    with pytest.raises(Invalid):
        request_of(settings, make_parcel(comments="x" * 15_000))


def test_answers_are_judged_by_the_template_the_buyer_or_the_contract() -> None:
    own = {"decide": [{"outcome": "accepted", "json": "$.ok"}]}

    assert rules_of(settings_of("webhook", url=URL)) == WEBHOOK_RULES
    assert rules_of(settings_of("http", url=URL, fields={"a": "score"})) == WEBHOOK_RULES
    assert rules_of(settings_of("http", url=URL, fields={"a": "score"}, answer=own)).decide[0].json == "$.ok"


def test_adf_goes_by_http_or_mail() -> None:
    request = request_of(settings_of("adf", url=URL, vendor="North"), make_parcel())
    mail = mail_of(settings_of("adf", to="leads@dealer.example", vendor="North"), make_parcel())

    assert request.headers == {"Content-Type": "application/x-adf+xml; charset=utf-8"}
    assert read_adf(mail.get_content().encode()) == read_adf(request.body)


def test_a_mail_tells_people_what_they_need() -> None:
    mail = mail_of(settings_of("email", to="sales@crm.example"), make_parcel())
    text = mail.get_content()

    assert (mail["To"], mail["Subject"]) == ("sales@crm.example", "New lead: education, FR-IDF")
    assert "Phone: +33199004567" in text and "Price: 12.50 EUR" in text and "shared by at most 3 buyers" in text
    assert mail_of(settings_of("email", to="a@crm.example"), example())["Subject"].startswith("Test lead")


@pytest.mark.parametrize(
    ("aged", "says"),
    [
        ({"age_minutes": 1, "resold": False}, "1 minute old; nobody bought it before"),
        ({"age_minutes": 119, "resold": False}, "119 minutes old; nobody bought it before"),
        ({"age_minutes": 2879, "resold": False}, "47 hours old; nobody bought it before"),
        ({"age_minutes": 12 * 1440, "resold": True}, "12 days old; bought before"),
        ({"age_minutes": 2880, "resold": True, "returned": "out_of_criteria"},
         "2 days old; bought before and sent back: out of criteria"),
    ],
)  # fmt: skip
def test_letters_and_adf_say_how_old_a_lead_is_and_who_had_it(aged: dict[str, Any], says: str) -> None:
    mail = mail_of(settings_of("email", to="sales@crm.example"), make_parcel(**aged))
    adf = request_of(settings_of("adf", url=URL, vendor="North"), make_parcel(**aged))

    is_fresh = aged["age_minutes"] < 1440
    assert mail["Subject"] == f"{'New' if is_fresh else 'Aged'} lead: education, FR-IDF"
    assert f"It is {says}." in mail.get_content()
    assert ("shared by at most" in mail.get_content()) is not aged["resold"]
    assert f"Age: {says}" in read_adf(adf.body)[0].customer.comments
    fresh = mail_of(settings_of("email", to="sales@crm.example"), make_parcel()).get_content()
    assert "A new lead" in fresh and " old" not in fresh


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_of_a_person_can_add_to_the_headers_of_a_mail(text: str) -> None:
    contact = Contact(first_name=text, email="a@mail.example")
    mail = mail_of(settings_of("email", to="sales@crm.example"), make_parcel(contact, comments=f"x\r\nBcc: {text}"))
    again = message_from_bytes(mail.as_bytes(), policy=policy.default)

    assert set(again.keys()) == {"To", "Subject", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
                                 "MIME-Version"}  # fmt: skip
    assert again["To"] == "sales@crm.example"


COLUMNS = {"phone": "contact.phone", "notes": "comments", "=name": "contact.full_name"}


def test_a_sheet_has_a_line_of_names_and_quotes_what_needs_it() -> None:
    sheet = csv_of(COLUMNS, [make_parcel(), make_parcel(comments=None)], bom=True)

    assert sheet.decode() == (
        "\ufeffphone,notes,'=name\r\n"
        '+33199004567,"Call\r\n""soon"" & <loud>",Ada Maria O\'Brien\r\n'
        "+33199004567,,Ada Maria O'Brien\r\n"
    )


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])
def test_formulas_become_text(text: str) -> None:
    sheet = csv_of({"notes": "comments"}, [make_parcel(comments=text)])

    assert list(csv.reader(io.StringIO(sheet.decode(), newline="")))[1] == ["'" + text]


@pytest.mark.parametrize("text", ["-12.5", "+33199004567", "plain", "a=1", "-"])
def test_numbers_and_plain_text_stay(text: str) -> None:
    row = csv_of({"notes": "comments"}, [make_parcel(comments=text)]).decode().splitlines()[1]

    assert row == ("'-" if text == "-" else text)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=4))
def test_a_sheet_gives_back_its_texts(texts: list[str]) -> None:
    sheet = csv_of({"notes": "comments", "id": "lead_id"}, [make_parcel(comments=text) for text in texts])
    rows = list(csv.reader(io.StringIO(sheet.decode(), newline="")))[1:]

    assert [row[0].removeprefix("'") for row in rows] == [text.removeprefix("'") for text in texts]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
PART = st.sampled_from(["a", "b", "0", "1", "@x", "xmlns", "", "é", "a b", "a:b", "12", "#"]) | TEXTS
MAPPINGS = st.dictionaries(
    st.lists(PART, min_size=1, max_size=3).map(".".join),
    st.sampled_from(["score", "comments", "test", "contact.position", "attributes.course"]),
    min_size=1, max_size=4,
)  # fmt: skip


@given(MAPPINGS, st.sampled_from(["json", "form", "xml", "soap", "text"]), TEXTS, st.text())
def test_settings_without_faults_can_always_be_sent(fields, form: str, root: str, comments: str) -> None:
    settings = delivery_of({"kind": "http", "url": URL, "format": form, "root": root, "fields": fields})
    if delivery_faults(settings, example()):
        return
    body = request_of(settings, make_parcel(comments=comments)).body

    if form == "json":
        json.loads(body)
    if form in ("xml", "soap"):
        etree.fromstring(body)


@given(TEXTS)
def test_any_template_is_refused_or_can_be_sent(source: str) -> None:
    settings = delivery_of({"kind": "http", "url": URL, "format": "text", "body": "{{ score }}" + source})
    if not delivery_faults(settings, example()):
        assert request_of(settings, make_parcel()).body.startswith(b"80")


def test_what_a_person_wrote_cannot_pass_for_a_line_of_ours() -> None:
    parcel = make_parcel(comments="Hello\r\nPrice: 0.00 EUR\u2028Sale: none \u202eTxet\u0000\x1b[2J")
    lines = mail_of(settings_of("email", to="sales@crm.example"), parcel).get_content().split("\n")
    assert [line for line in lines if line.startswith("Price:")] == ["Price: 12.50 EUR"]
    assert "    Price: 0.00 EUR" in lines and "    Sale: none Txet[2J" in lines


def test_a_mail_says_the_fields_that_its_buyer_wants_in_their_order() -> None:
    fields = {"Zone": "region", "Area": {"from": "country", "values": {"FR": "France"}}}
    mail = mail_of(settings_of("email", to="sales@crm.example", fields=fields), make_parcel())
    assert mail.get_content() == f"Zone: {make_parcel().region}\nArea: France\n"


def test_letters_that_an_encoding_lacks_cannot_begin_a_formula() -> None:
    for text in ("\uff1dcmd()", "\u0416=1", " =1", "\ud800=1", "\x00=1"):
        settings = settings_of("csv", columns={"a": "comments"}, header=False, encoding="iso-8859-15")
        (line,) = sheet_of(settings, [make_parcel(comments=text)]).decode("iso-8859-15").splitlines()
        assert not line.startswith(("=", " =")), text
