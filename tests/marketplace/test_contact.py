"""Addresses have one form, contact classes one table, scores one card, and persons one key for each identity."""

import hashlib
from itertools import product
from types import SimpleNamespace
from typing import get_args

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from marketplace.leads.addresses import read_email, read_phone, read_profile_link
from marketplace.leads.contact import TABLE, ContactClass, ContactFacts, class_of, most_answered
from marketplace.leads.persons import hash_of, key_of_hash, person_keys
from marketplace.leads.scoring import CHANNEL_POINTS, CLASS_POINTS, INTEREST_POINTS, score_of
from marketplace.leads.submission import Channel, Interest

SECRET = b"s" * 32


def keys(email: str | None = None, phone: str | None = None, profile: str | None = None) -> tuple[bytes, ...]:
    return person_keys(SECRET, SimpleNamespace(email_key=email, phone_e164=phone, profile_key=profile))


def phone_key(text: str, country: str) -> tuple[bytes, ...]:
    phone = read_phone(text, country)
    assert phone is not None
    return keys(phone=phone.e164)


@pytest.mark.parametrize(
    ("text", "country", "e164", "kind"),
    [
        ("01 99 00 12 34", "FR", "+33199001234", "fixed"),
        ("02 61 91 12 34", "FR", "+33261911234", "fixed"),
        ("06 39 98 12 34", "FR", "+33639981234", "mobile"),
        ("0033 6 39 98 12 34", "FR", "+33639981234", "mobile"),
        ("07700 900123", "GB", "+447700900123", "mobile"),
        ("020 911 2345", "IE", "+353209112345", "mobile"),
        ("(415) 555-0199", "US", "+14155550199", "fixed_or_mobile"),
    ],
)
def test_numbers_reserved_for_fiction_are_usable_and_known(text: str, country: str, e164: str, kind: str) -> None:
    assert read_phone(text, country) == (e164, kind, True)


def test_real_numbers_are_no_test_numbers_and_service_numbers_are_nobodys() -> None:
    assert read_phone("06 12 34 56 78", "FR") == ("+33612345678", "mobile", False)
    for text in ("0800 123 456", "08 92 70 12 34", "15", "911", "12", "", "+", "+999 123"):
        assert read_phone(text, "FR") is None


@pytest.mark.parametrize("country", ["AQ", "XX", ""])
def test_a_country_without_a_dialling_plan_needs_the_prefix(country: str) -> None:
    assert read_phone("01 99 00 12 34", country) is None
    assert read_phone("+33 1 99 00 12 34", country) is not None


@pytest.mark.parametrize(
    ("text", "address", "key", "is_test"),
    [
        ("Ada.Martin@Gmail.COM", "Ada.Martin@gmail.com", "ada.martin@gmail.com", False),
        ("a+tag@gmail.com", "a+tag@gmail.com", "a+tag@gmail.com", False),
        ("ada@example.com", "ada@example.com", "ada@example.com", True),
        ("ada@school.example", "ada@school.example", "ada@school.example", True),
        ("ada@school.TEST", "ada@school.test", "ada@school.test", True),
        ("ada@notexample.com", "ada@notexample.com", "ada@notexample.com", False),
        ("ada@münchen.de", "ada@xn--mnchen-3ya.de", "ada@xn--mnchen-3ya.de", False),
    ],
)
def test_addresses_are_kept_in_one_form(text: str, address: str, key: str, is_test: bool) -> None:
    assert read_email(text) == (address, key, is_test)


@pytest.mark.parametrize(
    "text",
    [
        "ada",
        "ada@",
        "@x.com",
        "a b@x.com",
        "ada@x",
        "ada@localhost",
        "ada@x.invalid",
        "a..b@x.com",
        "ada@xn--.com",
        "ada@ab--cd.com",
        "a" * 65 + "@x.com",
    ],
)
def test_addresses_that_cannot_receive_mail_are_unusable(text: str) -> None:
    assert read_email(text) is None


LABELS = st.text("ab1-.xn", min_size=1, max_size=70)


@given(st.text("aB1._+-", min_size=1, max_size=70), LABELS, st.sampled_from(["com", "fr", "test", "arpa", "x1", "be"]))
def test_the_short_way_for_plain_addresses_agrees_with_the_library(local: str, host: str, tld: str) -> None:
    text = f"{local}@{host}.{tld}"
    try:
        valid = validate_email(text, check_deliverability=False, strict=True, test_environment=tld == "test")
    except EmailNotValidError:
        assert read_email(text) is None
    else:
        email = read_email(text)
        assert email is not None and email.address == f"{valid.local_part}@{valid.ascii_domain}"


def test_links_to_one_profile_have_one_key() -> None:
    texts = ("https://www.linkedin.com/in/ada/", "http://LinkedIn.com/in/ada", "https://linkedin.com/in/ada#top")
    links = [read_profile_link(text) for text in texts]
    assert {link.key for link in links if link} == {"linkedin.com/in/ada"} and all(links)
    for text in ("ada", "javascript:alert(1)", "https://x", "https://[::1", "https://u:p@x.com/a", "https://x.com/a b"):
        assert read_profile_link(text) is None


@given(st.text(), st.sampled_from(["FR", "US", "VN", "AQ"]))
def test_any_text_is_read_without_a_crash(text: str, country: str) -> None:
    phone, email = read_phone(text, country), read_email(text)
    assert phone is None or read_phone(phone.e164, country) == phone
    assert email is None or read_email(email.address) == email
    read_profile_link(text)
    read_profile_link(f"https://example.com{text}")


FACTS = {"offline": False, "name": True, "phone": True, "email": True, "elaborate": False, "most_answers": False}


@pytest.mark.parametrize(
    ("changes", "contact_class"),
    [
        ({"offline": True, "elaborate": True, "most_answers": True}, "promotional"),
        ({"elaborate": True, "most_answers": True}, "interested"),
        ({}, "quick"),
        ({"elaborate": True}, "quick"),
        ({"phone": False}, "registration"),
        ({"name": False}, "promotional"),
        ({"phone": False, "email": False}, "promotional"),
    ],
)
def test_each_row_of_the_table_decides(changes: dict[str, bool], contact_class: ContactClass) -> None:
    assert class_of(ContactFacts(**(FACTS | changes))) == contact_class


def test_every_combination_has_a_class_and_every_row_is_reached() -> None:
    combinations = [ContactFacts(*values) for values in product((False, True), repeat=6)]
    assert {class_of(facts) for facts in combinations} == set(get_args(ContactClass))
    first_rows = {
        next(
            index
            for index, row in enumerate(TABLE)
            if all(wanted in (None, fact) for wanted, fact in zip(row[1:], facts, strict=True))
        )
        for facts in combinations
    }
    assert first_rows == set(range(len(TABLE)))


def test_half_of_the_questions_are_most() -> None:
    assert most_answered(("a", "b"), {"a": 0, "b": None}) and not most_answered(("a", "b", "c"), {"a": 1, "d": 2})
    assert most_answered((), {})


def test_every_lead_has_a_score_from_0_to_100_that_its_points_explain() -> None:
    for interest, channel, contact_class in product(get_args(Interest), get_args(Channel), get_args(ContactClass)):
        scored = score_of(interest, channel, contact_class)
        assert 0 <= scored.score == sum(points for _, points in scored.points) <= 100
    assert max(INTEREST_POINTS.values()) + max(CHANNEL_POINTS.values()) + max(CLASS_POINTS.values()) == 100


@pytest.mark.parametrize(
    ("interest", "channel", "contact_class", "temperature"),
    [
        ("order", "search", "quick", "hot"),
        ("request", "search", "quick", "warm"),
        ("request", "social", "quick", "warm"),
        ("download", "social", "registration", "cold"),
    ],
)
def test_the_score_gives_the_temperature(
    interest: str, channel: str, contact_class: ContactClass, temperature: str
) -> None:
    assert score_of(interest, channel, contact_class).temperature == temperature


def test_one_number_has_one_key_however_it_is_written() -> None:
    assert phone_key("(212) 555-0112", "US") == phone_key("2125550112", "US") == phone_key("+1 212-555-0112", "FR")


def test_an_empty_field_has_no_key() -> None:
    assert keys() == keys("", "", "") == ()
    assert len(keys(email="ada@example.com")) == 1


def test_keys_come_in_key_order_and_kinds_never_meet() -> None:
    three = keys("x", "x", "x")
    assert len(set(three)) == 3 and list(three) == sorted(three) and all(len(key) == 32 for key in three)


def test_a_hash_from_outside_gives_the_same_key() -> None:
    everybodys = hashlib.sha256(b"ada@example.com").digest()
    assert hash_of("ada@example.com") == everybodys
    assert keys(email="ada@example.com") == (key_of_hash(SECRET, "email", everybodys),)
    assert key_of_hash(b"other", "email", everybodys) != key_of_hash(SECRET, "email", everybodys)
    with pytest.raises(ValueError, match="32 bytes"):
        key_of_hash(SECRET, "email", b"short")
