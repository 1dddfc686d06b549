"""What is decided about a lead before anybody else is asked: refused, rejected with reasons, or fit to sell."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from core.errors import Fault, Invalid
from core.money import Money, is_currency
from core.schemas import Amount
from marketplace.catalog.regions import country_of, is_region, parents_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.addresses import (
    Email,
    Phone,
    PhoneKind,
    ProfileLink,
    read_email,
    read_phone,
    read_profile_link,
)
from marketplace.leads.contact import OFFLINE_CHANNELS, ContactClass, ContactFacts, class_of, most_answered
from marketplace.leads.scoring import Temperature, score_of
from marketplace.leads.submission import Consent, Contact, Submission

# What ip_address takes for IPv4, told at once: no octet above 255, none with a leading zero (tested).
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
CLOCK_SKEW = timedelta(minutes=5)  # between a publisher's clock and ours
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Judged(Struct, frozen=True, kw_only=True, gc=False):
    """A lead after judgement: normalised, classed and scored; with reasons it is rejected, without it may be sold.

    `contact` has the usable phone, e-mail and link normalised and the unusable ones as they came, for the evidence;
    `phone_e164`, `email_key` and `profile_key` are None unless usable.
    """

    submission: Submission
    contact: Contact
    regions: tuple[str, ...]
    phone_e164: str | None
    phone_kind: PhoneKind | None
    email_key: str | None
    profile_key: str | None
    min_price: Money | None
    cost: Money | None
    contact_class: ContactClass
    temperature: Temperature
    score: int
    points: tuple[tuple[str, int], ...]
    reasons: tuple[str, ...]


class _Reached(Struct, frozen=True, gc=False):
    """The ways to reach a person as read; None for what was not given or is unusable."""

    phone: Phone | None
    email: Email | None
    profile: ProfileLink | None


class Identities(Struct, frozen=True, gc=False):
    """The usable ways to reach a person, each in the form in which persons are compared."""

    email_key: str | None
    phone_e164: str | None
    profile_key: str | None


def identities_of(contact: Contact, region: str) -> Identities:
    """Return by what the person of a contact is recognised; the same as when the lead was judged."""
    reached = _read_contact(contact, country_of(region))
    return Identities(
        reached.email.key if reached.email else None,
        reached.phone.e164 if reached.phone else None,
        reached.profile.key if reached.profile else None,
    )


def judge(submission: Submission, vertical: Vertical, at: datetime, refuse_test_contacts: bool = False) -> Judged:
    """Judge a lead as of `at`: Invalid `invalid_lead` with every fault when it is no lead at all, else Judged."""
    if faults := list(_faults(submission, vertical)):
        raise Invalid("invalid_lead", "This is not a lead yet; each bad field is named with what to do.", faults)
    contact = submission.contact
    reached = _read_contact(contact, country_of(submission.region))
    contact_class = class_of(_facts(submission, vertical, reached))
    scored = score_of(submission.interest, submission.channel, contact_class)
    return Judged(
        submission=submission,
        contact=_normalised(contact, reached),
        regions=parents_of(submission.region),
        phone_e164=reached.phone.e164 if reached.phone else None,
        phone_kind=reached.phone.kind if reached.phone else None,
        email_key=reached.email.key if reached.email else None,
        profile_key=reached.profile.key if reached.profile else None,
        min_price=_money(submission.min_price),
        cost=_money(submission.source.cost),
        contact_class=contact_class,
        temperature=scored.temperature,
        score=scored.score,
        points=scored.points,
        reasons=(
            *_contact_reasons(contact, reached, refuse_test_contacts),
            *_consent_reasons(submission.consent, vertical, at),
        ),
    )


# -- no lead at all ---------------------------------------------------------------------------------------------------


def _faults(submission: Submission, vertical: Vertical) -> Iterator[Fault]:
    if not is_region(submission.region):
        yield Fault("region", "unknown_region", "Send an ISO 3166-1 or 3166-2 code in capitals, such as FR or FR-IDF.")
    contact, source, consent = submission.contact, submission.source, submission.consent
    if not (_given(contact.phone) or _given(contact.email) or _given(contact.profile_url)):
        yield Fault("contact", "no_contact_channel", "Send at least one of email, phone and profile_url.")
    for name in vertical.contact_required:
        if not _given(getattr(contact, name)):
            yield Fault(f"contact.{name}", "missing", f"Send it: leads of {vertical.slug} cannot do without.")
    yield from vertical.check(submission.attributes)
    yield from _amount_faults(submission.min_price, "min_price", vertical.currency)
    yield from _amount_faults(source.cost, "source.cost", None)
    yield from _ip_faults(source.ip, "source.ip")
    if consent is not None:
        yield from _ip_faults(consent.ip, "consent.ip")
        if consent.given_at is not None and not _EARLIEST <= consent.given_at < _LATEST:
            yield Fault("consent.given_at", "absurd_instant", "Send an instant between 1970 and 2200.")


def _amount_faults(amount: Amount | None, field: str, currency: str | None) -> Iterator[Fault]:
    if amount is None:
        return
    if not is_currency(amount.currency):
        yield Fault(f"{field}.currency", "unknown_currency", "Send a traded currency, such as EUR.")
    elif currency is not None and amount.currency != currency:
        yield Fault(f"{field}.currency", "wrong_currency", f"Send {currency}: this vertical trades in it.")
    else:
        yield from _sum_faults(amount, field)


def _sum_faults(amount: Amount, field: str) -> Iterator[Fault]:
    try:
        negative = Money.parse(amount.amount, amount.currency).minor < 0
    except ValueError as error:
        yield Fault(f"{field}.amount", "bad_amount", f"Send an amount that {amount.currency} can hold: {error}.")
    else:
        if negative:
            yield Fault(f"{field}.amount", "negative", "Send an amount of 0 or more.")


def _ip_faults(text: str | None, field: str) -> Iterator[Fault]:
    if text and not is_ip(text):
        yield Fault(field, "invalid_ip", "Send an IPv4 or IPv6 address, such as 203.0.113.9.")


def is_ip(text: str) -> bool:
    """Tell whether this is an IPv4 or IPv6 address without a zone."""
    if _PLAIN_IPV4.fullmatch(text):
        return True
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone means something to one machine only, and PostgreSQL's inet refuses it


# -- judged and, if need be, rejected ---------------------------------------------------------------------------------


def _read_contact(contact: Contact, country: str) -> _Reached:
    return _Reached(
        read_phone(contact.phone, country) if contact.phone else None,
        read_email(contact.email) if contact.email else None,
        read_profile_link(contact.profile_url) if contact.profile_url else None,
    )


def _contact_reasons(contact: Contact, reached: _Reached, refuse_test_contacts: bool) -> Iterator[str]:
    if reached.phone is None and _given(contact.phone):
        yield "invalid_phone"
    if reached.email is None and _given(contact.email):
        yield "invalid_email"
    if reached.profile is None and _given(contact.profile_url):
        yield "invalid_profile_link"
    if refuse_test_contacts and any(way is not None and way.is_test for way in (reached.phone, reached.email)):
        yield "test_contact_refused"


def _consent_reasons(consent: Consent | None, vertical: Vertical, at: datetime) -> Iterator[str]:
    if not vertical.consent.required:
        return
    if consent is None or consent.given_at is None or not _given(consent.text):
        yield "consent_missing"
    elif consent.given_at > at + CLOCK_SKEW:
        yield "consent_from_future"
    elif consent.given_at < at - timedelta(days=vertical.consent.max_age_days):
        yield "consent_expired"


def _facts(submission: Submission, vertical: Vertical, reached: _Reached) -> ContactFacts:
    contact = submission.contact
    return ContactFacts(
        offline=submission.channel in OFFLINE_CHANNELS,
        name=_given(contact.first_name) or _given(contact.last_name),
        phone=reached.phone is not None,
        email=reached.email is not None,
        elaborate=_given(submission.comments) or _given(contact.best_time),
        most_answers=most_answered(vertical.asked_fields, submission.attributes),
    )


def _normalised(contact: Contact, reached: _Reached) -> Contact:
    return replace(
        contact,
        phone=reached.phone.e164 if reached.phone else _text(contact.phone),
        email=reached.email.address if reached.email else _text(contact.email),
        profile_url=reached.profile.url if reached.profile else _text(contact.profile_url),
    )


def _money(amount: Amount | None) -> Money | None:
    return None if amount is None else Money.parse(amount.amount, amount.currency)


def _text(text: str | None) -> str | None:
    return text if _given(text) else None


def _given(text: str | None) -> bool:
    return text is not None and not (text == "" or text.isspace())
