"""A mapping: the buyer's names, in the buyer's order, and each value as the buyer writes it."""

from typing import Any

import pytest

from core.schemas import convert
from marketplace.leads.delivery.mapping import Rule, pairs_of
from marketplace.leads.delivery.parcel import plain_of
from marketplace.leads.submission import Contact
from tests.marketplace.delivery.parcels import example, make_parcel


def given_by(parcel: Any = None, **fields: Any) -> Any:
    rules = {name: each if isinstance(each, str) else convert(each, Rule) for name, each in fields.items()}
    return pairs_of(rules, plain_of(parcel or make_parcel()))


def test_fields_keep_their_order_and_types() -> None:
    assert given_by(z="score", a="attributes.free_copy", m={"constant": "x"}) == [("z", 80), ("a", True), ("m", "x")]


def test_what_gives_nothing_is_left_out_or_has_its_default() -> None:
    assert given_by(a="contact.position", b={"from": "contact.position", "default": ""}) == [("b", "")]
    assert given_by(a={"constant": ""}) == []


@pytest.mark.parametrize(
    ("path", "form", "written"),
    [
        ("contact.phone", "national", "0199004567"),
        ("contact.phone", "without_prefix", "199004567"),
        ("contact.phone", "e164", "+33199004567"),
        ("contact.phone", "digits", "33199004567"),
        ("received_at", "iso_date", "2026-03-04"),
        ("received_at", "us_date", "03/04/2026"),
        ("received_at", "eu_date", "04/03/2026"),
        ("received_at", "plain_datetime", "2026-03-04 05:06:07"),
        ("received_at", "unix", 1772600767),
        ("received_at", "unix_ms", 1772600767000),
        ("contact.first_name", "first_word", "Ada"),
        ("contact.full_name", "other_words", "Maria O'Brien"),
        ("contact.first_name", ["first_word", "upper"], "ADA"),
        ("attributes.free_copy", "yes_no", "yes"),
        ("attributes.free_copy", "one_zero", "1"),
        ("exclusive", "true_false", False),
        ("attributes.visits", "text", "3"),
        ("contact.email", "iso_date", "ada.obrien@mail.example"),
    ],
)
def test_formats(path: str, form: Any, written: Any) -> None:
    assert given_by(a={"from": path, "format": form}) == [("a", written)]


def test_values_are_replaced_in_any_case_and_others_stay() -> None:
    rule = {"from": "temperature", "values": {"HOT": "A", "warm": "B"}}

    assert given_by(a=rule) == [("a", "A")]
    assert given_by(make_parcel(temperature="cold"), a=rule) == [("a", "cold")]


def test_a_field_may_depend_on_another() -> None:
    only_tests = {"constant": "1", "when": {"test": ["true"]}}
    with_phone = {"constant": "call", "when": {"contact.phone": ["*"]}}

    assert given_by(a=only_tests, b=with_phone) == [("b", "call")]
    assert given_by(example(), a=only_tests) == [("a", "1")]
    assert given_by(make_parcel(Contact(email="a@mail.example")), b=with_phone) == []


def test_a_template_puts_values_together() -> None:
    rule = {"template": "{{ contact.last_name | upper }}, {{ contact.first_name }}{% if score > 70 %}!{% endif %}"}

    assert given_by(a=rule) == [("a", "O'BRIEN, Ada Maria!")]
