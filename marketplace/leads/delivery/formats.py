"""How one value is written for a buyer: phones, dates, names and switches, each under a short name.

A value that a format cannot read stays as it is: a lead that is late is worth less than a date in another form.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import phonenumbers

from marketplace.leads.delivery.parcel import Scalar

Format = Callable[[str, str], Scalar]  # the text and the lead's country (ISO 3166-1)


def formatted(value: Scalar, names: Iterable[str], country: str) -> Scalar:
    """Write a value in one format after the other; None stays None."""
    for name in names:
        if value is None:
            return None
        value = FORMATS[name](text_of(value), country)
    return value


def text_of(value: Scalar) -> str:
    """Write a value as text: true and false in small letters, nothing for None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _phone(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _e164(text: str, country: str) -> str:
    number = _phone(text, country)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else text


def _national(text: str, country: str) -> str:
    number = _phone(text, country)
    return _digits(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)) if number else text


def _without_prefix(text: str, country: str) -> str:
    number = _phone(text, country)
    return phonenumbers.national_significant_number(number) if number else text


def _digits(text: str, _country: str = "") -> str:
    return "".join(char for char in text if "0" <= char <= "9")


def _moment(write: Callable[[datetime], Scalar]) -> Format:
    def written(text: str, _country: str) -> Scalar:
        try:
            return write(datetime.fromisoformat(text))
        except (ValueError, OverflowError):
            return text

    return written


def _seconds(factor: int) -> Callable[[datetime], Scalar]:
    return lambda instant: int(instant.timestamp() * factor) if instant.tzinfo else instant.isoformat()


def _plain(change: Callable[[str], Scalar]) -> Format:
    return lambda text, _country: change(text)


def _switch(yes: Scalar, no: Scalar) -> Format:
    words: dict[str, Scalar] = {"true": yes, "yes": yes, "y": yes, "1": yes, "false": no, "no": no, "n": no, "0": no}
    return lambda text, _country: words.get(text.strip().lower(), text)


def _integer(text: str, _country: str) -> Scalar:
    plain = text.strip()
    return int(plain) if plain.removeprefix("-").isdecimal() and len(plain) <= 18 else text


FORMATS: dict[str, Format] = {
    "upper": _plain(str.upper),
    "lower": _plain(str.lower),
    "title": _plain(str.title),
    "first_word": _plain(lambda text: text.split(None, 1)[0] if text.split() else ""),
    "other_words": _plain(lambda text: " ".join(text.split()[1:])),
    "digits": _digits,
    "e164": _e164,
    "national": _national,
    "without_prefix": _without_prefix,
    "iso_date": _moment(lambda at: at.strftime("%Y-%m-%d")),
    "us_date": _moment(lambda at: at.strftime("%m/%d/%Y")),
    "eu_date": _moment(lambda at: at.strftime("%d/%m/%Y")),
    "iso_datetime": _moment(lambda at: at.isoformat(timespec="seconds")),
    "plain_datetime": _moment(lambda at: at.strftime("%Y-%m-%d %H:%M:%S")),
    "unix": _moment(_seconds(1)),
    "unix_ms": _moment(_seconds(1000)),
    "yes_no": _switch("yes", "no"),
    "one_zero": _switch("1", "0"),
    "true_false": _switch(True, False),
    "integer": _integer,
    "text": _plain(lambda text: text),
}
