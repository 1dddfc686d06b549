"""Masking: no contact data in what is shown to those who may not see it, however the body escaped it."""

import json
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.leads.delivery.mails import mail_of
from marketplace.leads.delivery.masking import masked_request, masked_text
from marketplace.leads.delivery.ready import dialects
from marketplace.leads.delivery.requests import request_of
from marketplace.leads.submission import Contact
from tests.marketplace.delivery.parcels import make_parcel, settings_of

URL = "https://crm.example/leads"
PARTS = ["maria", "brien", "99004567", "neuve", "tienne", "dupont", "75011", "soon", "192.0.2.7", "obrien"]
FIELDS = {
    "name": "contact.full_name", "first": "contact.first_name", "mail": "contact.email", "phone": "contact.phone",
    "national": {"from": "contact.phone", "format": "national"}, "city": "contact.city", "firm": "contact.company",
    "street": "contact.address", "zip": "contact.postal_code", "notes": "comments", "ip": "consent.ip",
    "loud": {"from": "contact.last_name", "format": "upper"}, "keep": "temperature",
}  # fmt: skip


def shown_of(**values) -> str:
    request = masked_request(request_of(settings_of(**values), make_parcel()), make_parcel())
    return f"{request.url} {request.headers} {request.body.decode()}".lower()


@pytest.mark.parametrize("form", ["json", "form", "xml", "soap", "text"])
def test_nothing_of_the_contact_is_left_in_any_format(form: str) -> None:
    shown = shown_of(kind="http", url=URL, format=form, fields=FIELDS, headers={"X-Name": "{{ contact.full_name }}"})

    assert [part for part in PARTS if part in shown] == []
    assert "hot" in shown and "•••67" in shown


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_queries_are_masked_too(method: str) -> None:
    shown = shown_of(kind="http", url=URL, method=method, query=FIELDS, fields={"a": "score"})

    assert [part for part in PARTS if part in shown] == []


@pytest.mark.parametrize("vendor", sorted(dialects()))
def test_templates_are_masked(vendor: str) -> None:
    asked = {name: {"constant": "1"} for name in dialects()[vendor].asks}
    shown = shown_of(kind="http", url=URL, template=vendor, fields=asked)

    assert [part for part in PARTS if part in shown] == []


def test_webhooks_adf_and_mails_are_masked() -> None:
    mail = mail_of(settings_of("email", to="a@crm.example"), make_parcel()).get_content()
    shown = shown_of(kind="webhook", url=URL) + shown_of(kind="adf", url=URL, vendor="North")
    shown += masked_text(mail.replace("\r\n", "\n"), make_parcel()).lower()

    assert [part for part in PARTS if part in shown] == []


def test_what_the_answer_repeats_is_masked() -> None:
    answer = '{"error": "ADA.OBRIEN@mail.example or +33 1 99-00-45-67 (0199004567) of Ada Maria is a duplicate"}'

    assert masked_text(answer, make_parcel()) == (
        '{"error": "a•••@m•••.example or •••67 (•••67) of A••• is a duplicate"}'
    )


def test_short_names_are_masked_as_words_only() -> None:
    parcel = make_parcel(Contact(first_name="Li", last_name="Al", phone="+33199004567"), comments=None)

    assert masked_text("name=Li&last=al: client already, Li%20Al", parcel) == (
        "name=L•••&last=A•••: client already, L•••%20A•••"
    )


@pytest.mark.parametrize("phone", ["none", "+1", "0199004567", "+33199004567;ext=2"])
def test_unusable_numbers_are_masked_without_harm(phone: str) -> None:
    parcel = make_parcel(Contact(phone=phone), comments=None)

    assert masked_text(f"call {phone}, please", parcel).endswith(", please")
    assert phone not in masked_text(f"call {phone}, please", parcel)


def test_secrets_in_headers_are_hidden() -> None:
    headers = {"Authorization": "Bearer abc", "X-Api-Key": "abc", "X_KEY": "abc", "X-Plain": "fine"}
    shown = shown_of(kind="http", url=URL, headers=headers, fields={"a": "score"})

    assert "abc" not in shown and "fine" in shown


@pytest.mark.parametrize("form", ["json", "form", "xml"])
def test_fields_named_as_secrets_are_hidden(form: str) -> None:
    fields = {"lp_campaign_key": {"constant": "abc"}, "apiKey": {"constant": "abc"}, "password": {"constant": "abc"}}
    shown = shown_of(
        kind="http", url=URL, format=form, query=fields, fields={**fields, "keyword": {"constant": "fine"}}
    )

    assert "abc" not in shown and "fine" in shown


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=2, max_size=12))
def test_any_name_is_hidden_in_any_escape(name: str) -> None:
    parcel = make_parcel(Contact(first_name=name, phone="+33199004567"), comments=None)
    spelt = [name, quote(name, safe=""), quote_plus(name).lower(), json.dumps(name)[1:-1],
             json.dumps(name, ensure_ascii=False)[1:-1], escape(name)]  # fmt: skip

    assert [way for way in spelt if way in masked_text(f'("{way}")', parcel)] == []
