"""Contact data hidden in what is logged of a delivery, for those who may not see it: `a•••@e•••.com`, `•••34`.

Looks for the parcel's own values, plain or escaped as bodies escape them, wherever they stand: also in what the buyer's
answer repeats.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html.entities import codepoint2name

import phonenumbers

from marketplace.leads.delivery.parcel import Parcel
from marketplace.leads.delivery.requests import Request

HIDDEN = "•••"
_SECRET_HEADER = re.compile(r"auth|key|token|secret|password|cookie|credential", re.IGNORECASE)
# A field of a query, form, JSON or XML whose name ends like that of a secret, and its value.
_SECRET_FIELD = re.compile(r"((?:key|token|secret|password|pwd)(?:=|\"\s*:\s*\"?|>))[^&\"<\s]+", re.IGNORECASE)
_BETWEEN = r"(?:[\s().+/\-\u00a0]|%20|%28|%29|%2B|%2D|&#160;|\\u00a0){0,3}"
_BLANKS = r"(?:\s|\+|%20|%0[9AD]|\\{1,7}[nrt]|&#(?:9|10|13|x0*[9AD]);|&nbsp;)+"
_PLACES = ("address", "postal_code", "city", "company")
# Where a value may begin: after what is no letter or digit, or after the escape of such a character.
_BEFORE = r"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4}))"


def masked_text(text: str, parcel: Parcel) -> str:
    """Return the text with the parcel's contact data hidden, in letters of any case."""
    for pattern, instead in _patterns(parcel):
        text = pattern.sub(instead, text)
    return text


def masked_request(request: Request, parcel: Parcel) -> Request:
    """Return the request with contact data hidden everywhere, and the values of headers and fields named as secrets."""
    headers = {
        name: HIDDEN if _SECRET_HEADER.search(name) else masked_text(value, parcel)
        for name, value in request.headers.items()
    }
    body = _without_secrets(masked_text(request.body.decode("utf-8", "replace"), parcel)).encode()
    return Request(request.method, _without_secrets(masked_text(request.url, parcel)), headers, body)


def without_credentials(text: str, secrets: tuple[str, ...]) -> str:
    """Return the text with these secrets hidden, and the values of fields named as secrets.

    A secret of three characters or fewer is hidden by its name alone: it would stand in half of all words.
    """
    for secret in secrets:
        text = _any_of(secret).sub(HIDDEN, text) if len(secret) > 3 else text
    return _without_secrets(text)


def headers_without_credentials(headers: Mapping[str, str], secrets: tuple[str, ...]) -> dict[str, str]:
    """Return headers with these secrets hidden, and the whole values of those named as secrets."""
    return {
        name: HIDDEN if _SECRET_HEADER.search(name) else without_credentials(value, secrets)
        for name, value in headers.items()
    }


def _without_secrets(text: str) -> str:
    return _SECRET_FIELD.sub(rf"\1{HIDDEN}", text)


def masked_email(address: str) -> str:
    """Return `a•••@e•••.com` for `ada@example.com`."""
    local, _, domain = address.rpartition("@")
    host, dot, ending = domain.rpartition(".")
    return f"{local[:1]}{HIDDEN}@{host[:1]}{HIDDEN}{dot}{ending}"


def masked_phone(phone: str) -> str:
    """Return the last two digits behind the dots."""
    return f"{HIDDEN}{phone[-2:]}" if len(phone) > 5 else HIDDEN


def _patterns(parcel: Parcel) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield what is looked for, what contains other things first."""
    contact, consent = parcel.contact, parcel.consent
    if parcel.comments:
        yield _any_of(parcel.comments), HIDDEN
    if contact.profile_url:
        yield _any_of(contact.profile_url), HIDDEN
    if contact.email:
        yield _any_of(contact.email), masked_email(contact.email)
    if contact.phone:
        yield _phone_pattern(contact.phone), masked_phone(contact.phone)
    if consent.ip:
        yield _word(consent.ip), HIDDEN
    for name in _PLACES:
        yield from _hidden(getattr(contact, name))
    for spoken in (contact.first_name, contact.last_name):
        yield from _hidden(spoken)
        yield from (found for word in (spoken or "").split() if len(word) > 2 for found in _hidden(word))


def _hidden(value: str | None) -> Iterator[tuple[re.Pattern[str], str]]:
    if value and value.strip():
        yield _word(value.strip()), f"{value.strip()[:1]}{HIDDEN}"


def _word(value: str) -> re.Pattern[str]:
    """Find a value that is not part of a longer word: "Li" is not in "client", but in "name=Li&"."""
    return re.compile(rf"{_BEFORE}(?:{_escapes(value)})(?!\w)", re.IGNORECASE)


def _any_of(value: str) -> re.Pattern[str]:
    return re.compile(_escapes(value), re.IGNORECASE)


def _escapes(value: str) -> str:
    """Write an expression for a value in every mixture of the escapes of forms, JSON, XML and HTML."""
    return _BLANKS.join("".join(map(_letter, word)) for word in value.split())


@lru_cache(maxsize=1024)
def _letter(char: str) -> str:
    if char.isascii() and char.isalnum():
        return char
    units = char.encode("utf-16-be", "replace")
    ways = [
        re.escape(char),
        "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace")),
        "".join(rf"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2)),
        rf"&#0*{ord(char)};",
        rf"&#x0*{ord(char):x};",
    ]
    if char in "\"'\\/":
        ways.append(rf"\\{{1,7}}{re.escape(char)}")
    if char == "'":
        ways.append("&apos;")
    if ord(char) in codepoint2name:
        ways.append(f"&{codepoint2name[ord(char)]};")
    return f"(?:{'|'.join(ways)})"


def _phone_pattern(phone: str) -> re.Pattern[str]:
    """Find a number with or without its prefixes, and with whatever stands between its digits."""
    digits = "".join(char for char in phone if char.isdecimal())
    prefix = ""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        pass
    else:
        prefix, digits = str(number.country_code), phonenumbers.national_significant_number(number)
    if len(digits) < 4:
        return _word(phone)
    spelt = _BETWEEN.join(digits)
    return re.compile(rf"(?:(?:\+|%2B|00)?{prefix}{_BETWEEN})?0?{_BETWEEN}{spelt}", re.IGNORECASE)
