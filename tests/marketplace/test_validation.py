"""What is no lead is refused with every fault; what is one is judged, normalised, classed and scored."""

import copy
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.money import Money
from core.schemas import convert
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.leads.reasons import REASONS
from marketplace.leads.submission import Submission
from marketplace.leads.validation import Judged, is_ip, judge

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
EDUCATION = read_shipped("education")
OPEN = Vertical.load(EDUCATION.as_mapping() | {"consent": {"required": False}})


def body(**changes: Any) -> dict[str, Any]:
    """Build the example body with changes; a dict is merged into the part of that name."""
    made = copy.deepcopy(EDUCATION.example(AT))
    for name, value in changes.items():
        made[name] = made[name] | value if isinstance(value, dict) and isinstance(made[name], dict) else value
    return made


def judged(vertical: Vertical = EDUCATION, refuse_test_contacts: bool = False, **changes: Any) -> Judged:
    return judge(convert(body(**changes), Submission), vertical, AT, refuse_test_contacts)


def faults_of(**changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        judged(**changes)
    return {fault.field: fault.code for fault in refusal.value.faults}


def test_the_example_may_be_sold() -> None:
    lead = judged()
    assert lead.reasons == ()
    assert (lead.contact_class, lead.temperature, lead.score) == ("quick", "warm", 62)
    assert lead.regions == ("FR-IDF", "FR")
    assert lead.min_price == Money(420, "EUR")
    assert sum(points for _, points in lead.points) == lead.score


OCTETS = st.integers(0, 300).map(str) | st.sampled_from(["00", "01", "1e1", "\u0661", " 1", ""])


@given(st.lists(OCTETS, min_size=3, max_size=5).map(".".join) | st.ip_addresses().map(str) | st.text(max_size=20))
def test_an_address_is_one_when_the_library_says_so(text: str) -> None:
    try:
        expected = "%" not in str(ip_address(text))
    except ValueError:
        expected = False
    assert is_ip(text) == expected


def test_all_faults_are_named_at_once() -> None:
    assert faults_of(
        region="Paris",
        contact={"email": None, "phone": " ", "profile_url": ""},
        attributes={"course": "alchemy", "shoe_size": 43},
        min_price={"amount": "5.001", "currency": "EUR"},
        source={"ip": "1.2.3", "cost": {"amount": "-1", "currency": "USD"}},
        consent={"ip": "fe80::1%eth0", "given_at": "0001-01-01T00:00:00+23:59"},
    ) == {
        "region": "unknown_region",
        "contact": "no_contact_channel",
        "attributes.course": "unknown_value",
        "attributes.shoe_size": "unknown_attribute",
        "min_price.amount": "bad_amount",
        "source.ip": "invalid_ip",
        "source.cost.amount": "negative",
        "consent.ip": "invalid_ip",
        "consent.given_at": "absurd_instant",
    }
    assert faults_of(min_price={"amount": "5.00", "currency": "USD"}) == {"min_price.currency": "wrong_currency"}
    assert faults_of(min_price={"amount": "5.00", "currency": "XTS"}) == {"min_price.currency": "unknown_currency"}
    assert faults_of(min_price={"amount": "-5.00"}) == {"min_price.amount": "negative"}
    assert faults_of(consent={"given_at": "9999-12-31T23:59:59-23:59"}) == {"consent.given_at": "absurd_instant"}


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ({"phone": "123"}, "invalid_phone"),
        ({"phone": "call me"}, "invalid_phone"),
        ({"phone": "+33 8 92 70 12 34"}, "invalid_phone"),
        ({"email": "ada@"}, "invalid_email"),
        ({"email": "ada@school.invalid"}, "invalid_email"),
        ({"profile_url": "javascript:alert(1)"}, "invalid_profile_link"),
    ],
)
def test_one_unusable_way_rejects_a_lead_that_has_another(contact: dict[str, str], reason: str) -> None:
    lead = judged(contact=contact)
    assert lead.reasons == (reason,) and reason in REASONS
    assert all(getattr(lead.contact, name) == value for name, value in contact.items())


@pytest.mark.parametrize("way", ["phone", "email", "profile_url"])
def test_one_way_to_reach_the_person_is_enough(way: str) -> None:
    ways = {"phone": "01 99 00 12 34", "email": "Ada@Example.COM", "profile_url": "https://example.com/in/ada"}
    lead = judged(contact=dict.fromkeys(ways) | {way: ways[way]})
    assert lead.reasons == ()


def test_the_contact_is_normalised_by_the_regions_country() -> None:
    lead = judged(contact={"phone": "01 99 00 12 34", "email": " Ada@Example.COM "})
    assert (lead.contact.phone, lead.contact.email) == ("+33199001234", "Ada@example.com")
    assert (lead.phone_e164, lead.phone_kind, lead.email_key) == ("+33199001234", "fixed", "ada@example.com")
    assert judged(region="US-NY", contact={"phone": "(212) 555-0112"}).phone_e164 == "+12125550112"


@pytest.mark.parametrize(
    ("consent", "reasons"),
    [
        (None, ("consent_missing",)),
        ({"text": " "}, ("consent_missing",)),
        ({"given_at": None}, ("consent_missing",)),
        ({"given_at": "2026-08-20T12:00:00Z"}, ("consent_expired",)),
        ({"given_at": "2026-08-24T12:00:00Z"}, ()),
        ({"given_at": "2026-11-22T12:04:00Z"}, ()),
        ({"given_at": "2026-11-22T13:00:00+01:00"}, ()),
        ({"given_at": "2026-11-22T12:06:00Z"}, ("consent_from_future",)),
        ({"given_at": "2099-01-01T00:00:00Z"}, ("consent_from_future",)),
    ],
)
def test_consent_must_be_there_and_alive(consent: dict[str, Any] | None, reasons: tuple[str, ...]) -> None:
    assert judged(consent=consent).reasons == reasons
    assert judged(OPEN, consent=consent).reasons == ()


@pytest.mark.parametrize("contact", [{"phone": None}, {"email": None}, {"email": "ada@school.test"}])
def test_test_contacts_are_ordinary_unless_they_are_refused(contact: dict[str, Any]) -> None:
    assert judged(contact=contact).reasons == ()
    assert judged(contact=contact, refuse_test_contacts=True).reasons == ("test_contact_refused",)


def test_real_contacts_pass_where_test_contacts_are_refused() -> None:
    contact = {"phone": "06 12 34 56 78", "email": "ada@gmail.com"}
    assert judged(contact=contact, refuse_test_contacts=True).reasons == ()


def test_the_same_inputs_give_the_same_judgement() -> None:
    assert judged() == judged()
    assert judge(convert(body(), Submission), EDUCATION, AT + timedelta(days=91)).reasons == ("consent_expired",)


@given(st.text(max_size=64), st.text(max_size=320), st.text(max_size=200), st.sampled_from(["FR", "US-NY", "AQ", "VN"]))
def test_any_contact_text_is_judged_without_a_crash(phone: str, email: str, link: str, region: str) -> None:
    document = body(region=region, contact={"phone": phone, "email": email, "profile_url": link})
    document["contact"] = {name: (text or "").replace("\0", "") for name, text in document["contact"].items()}
    try:
        lead = judge(convert(document, Submission), EDUCATION, AT)
    except Invalid as refusal:
        assert [fault.code for fault in refusal.faults] == ["no_contact_channel"]
    else:
        assert set(lead.reasons) <= set(REASONS)
