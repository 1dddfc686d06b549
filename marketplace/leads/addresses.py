"""How a phone number, an e-mail address or a profile link is read: usable or not, and in which one form it is kept."""

import re
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberType

from marketplace.leads.plain_phones import plain_kind

PhoneKind = Literal["mobile", "fixed", "fixed_or_mobile", "other"]


class Phone(NamedTuple):
    """A usable number in E.164, with its plus sign."""

    e164: str
    kind: PhoneKind
    is_test: bool


class Email(NamedTuple):
    """A usable address: as it is written to, and as it is compared."""

    address: str
    key: str
    is_test: bool


class ProfileLink(NamedTuple):
    """A usable link to a person's profile, and its form without what does not tell profiles apart."""

    url: str
    key: str


# Numbers reserved for fiction: ordinary contacts unless the operator refuses them. `phonenumbers` knows some of them
# as valid, calls the mobile ones invalid, and therefore is not asked.
FICTION_RANGES: tuple[tuple[str, PhoneKind, str], ...] = (
    (r"\+33(?:19900|26191|35301|46571|53649)\d{4}", "fixed", "France, 01 99 00 and its four siblings"),
    (r"\+3363998\d{4}", "mobile", "France, 06 39 98"),
    (r"\+447700900\d{3}", "mobile", "United Kingdom, 07700 900"),
    (r"\+3532091\d{5}", "mobile", "Ireland, 020 91"),
    (r"\+1[2-9]\d{2}55501\d{2}", "fixed_or_mobile", "North America, 555-0100 to 555-0199 in any area code"),
)
_FICTION = re.compile("|".join(f"({pattern})" for pattern, _, _ in FICTION_RANGES), re.ASCII)

# Toll-free, premium and shared-cost numbers, pagers and mailboxes are nobody's own phone.
_KINDS: dict[int, PhoneKind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.VOIP: "other",
    PhoneNumberType.PERSONAL_NUMBER: "other",
    PhoneNumberType.UAN: "other",
}

# RFC 2606 without `.invalid` and `.localhost`, which stay unusable: they say themselves that nobody reads there.
_TEST_DOMAIN = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org)|example)|.+\.test")

# Addresses of the plainest kind, nine in ten, which need no library: it would accept and spell them the same (tested).
_PLAIN_EMAIL = re.compile(
    r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|fr|de|es|nl|be|eu))",
    re.ASCII,
)


def read_phone(text: str, country: str) -> Phone | None:
    """Read a number as it is dialled in `country` (ISO 3166-1) or with its international prefix; None if unusable."""
    if (plain := plain_kind(text)) and not _FICTION.fullmatch(text):
        return Phone(text, plain, False)
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    if fiction := _FICTION.fullmatch(e164):
        return Phone(e164, FICTION_RANGES[(fiction.lastindex or 1) - 1][1], True)
    kind = _KINDS.get(phonenumbers.number_type(number))
    return Phone(e164, kind, False) if kind else None


def read_email(text: str) -> Email | None:
    """Read an address by its syntax, without asking DNS; None if unusable.

    The domain is kept in small letters and in its ASCII form. The key also has the local part in small letters, since
    no mail provider of weight tells them apart. Dots and plus tags are not folded: which of them count is each
    provider's own rule, and the hashes that publishers and buyers send are of the address as everybody normalises it.
    """
    text = text.strip()
    plain = _PLAIN_EMAIL.fullmatch(text) if len(text) <= 64 and "--" not in text else None
    parts = (plain[1], plain[2]) if plain else _parts_of(text)
    if parts is None:
        return None
    address = "@".join(parts)
    return Email(address, address.lower(), _TEST_DOMAIN.fullmatch(parts[1]) is not None)


def _parts_of(text: str) -> tuple[str, str] | None:
    is_test = text.lower().endswith(".test")
    try:
        valid = validate_email(text, check_deliverability=False, strict=True, test_environment=is_test)
    except (EmailNotValidError, UnicodeError):
        return None
    return valid.local_part, valid.ascii_domain


def read_profile_link(text: str) -> ProfileLink | None:
    """Read an http or https link with a host and without credentials; None if unusable."""
    text = text.strip()
    if any(letter <= " " or letter == "\x7f" for letter in text):
        return None
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "." not in host or "@" in parts.netloc:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return ProfileLink(text, host.removeprefix("www.") + parts.path.rstrip("/") + query)
