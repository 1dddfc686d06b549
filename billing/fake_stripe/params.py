"""Parameters: bracketed form fields read into nested values, checked against what an endpoint knows."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from billing.fake_stripe.errors import Json, unreadable

MOST_AMOUNT = 99_999_999
MOST_TEXT = 5000
DEEPEST = 10
_PART = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Needed:
    """Marks a parameter without which the endpoint does nothing."""

    kind: Any


def decoded(text: str) -> Json:
    """Read `a[b][0][c]=v` into nested dicts and lists."""
    root: Json = {}
    for number, (name, value) in enumerate(parse_qsl(text, keep_blank_values=True)):
        head, bracket, rest = name.partition("[")
        parts = [head, *(part or f"~{number}" for part in _PART.findall(bracket + rest))]
        if len(parts) > DEEPEST:
            raise unreadable("Parameters are nested too deeply", head, "parameter_invalid_object")
        place = root
        for part in parts[:-1]:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                raise unreadable(f"Invalid object: {name}", name, "parameter_invalid_empty")
            place = inner
        place[parts[-1]] = value
    return root


def checked(given: Json, spec: Json, within: str = "") -> Json:
    """Return the values an endpoint knows, each of its kind; unknown, missing and misshapen ones are refused."""
    for name in given:
        if name not in spec:
            shown = _shown(within, name)
            raise unreadable(f"Received unknown parameter: {shown}", shown, "parameter_unknown")
    found = {}
    for name, kind in spec.items():
        shown = _shown(within, name)
        if isinstance(kind, Needed) and given.get(name) in (None, ""):
            raise unreadable(f"Missing required param: {shown}.", shown, "parameter_missing")
        if name in given:
            found[name] = _value(given[name], kind.kind if isinstance(kind, Needed) else kind, shown)
    return found


def _shown(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def _value(given: Any, kind: Any, name: str) -> Any:
    if isinstance(kind, dict):
        if given == "":
            return None
        if not isinstance(given, dict):
            raise unreadable(f"Invalid object: {name}", name, "parameter_invalid_object")
        return checked(given, kind, name)
    if isinstance(kind, list):
        if given == "":
            return []
        if not isinstance(given, dict):
            raise unreadable(f"Invalid array: {name}", name, "parameter_invalid_array")
        return [_value(part, kind[0], f"{name}[{index}]") for index, part in enumerate(given.values())]
    return kind(given, name)


def text(given: Any, name: str) -> str | None:
    """Read a text; empty unsets."""
    if not isinstance(given, str):
        raise unreadable(f"Invalid string: {name}", name, "parameter_invalid_string")
    if len(given) > MOST_TEXT:
        message = f"Invalid string: {name}; must be at most {MOST_TEXT} characters"
        raise unreadable(message, name, "parameter_invalid_string")
    return given or None


def integer(given: Any, name: str) -> int:
    """Read a whole number."""
    if not isinstance(given, str) or not re.fullmatch(r"-?\d{1,15}", given):
        raise unreadable(f"Invalid integer: {given}", name, "parameter_invalid_integer")
    return int(given)


def amount(given: Any, name: str) -> int:
    """Read an amount of money that somebody may pay."""
    read = integer(given, name)
    if read <= 0:
        raise unreadable("This value must be greater than or equal to 1.", name, "parameter_invalid_integer")
    if read > MOST_AMOUNT:
        raise unreadable(f"Amount must be no more than {MOST_AMOUNT}", name, "amount_too_large")
    return read


def boolean(given: Any, name: str) -> bool:
    """Read true or false."""
    if given not in ("true", "false"):
        raise unreadable(f"Invalid boolean: {given}", name, "parameter_invalid_boolean")
    return bool(given == "true")


def currency(given: Any, name: str) -> str:
    """Read a currency's three letters, in small ones."""
    if not isinstance(given, str) or not re.fullmatch("[A-Za-z]{3}", given):
        raise unreadable(f"Invalid currency: {given}.", name, "invalid_currency")
    return given.lower()


def metadata(given: Any, name: str) -> dict[str, str | None]:
    """Read up to 50 free pairs; an empty value unsets its key, an empty text all of them."""
    if given == "":
        return {"": None}
    if not isinstance(given, dict) or len(given) > 50:
        raise unreadable(f"Invalid metadata: {name}", name, "parameter_invalid_object")
    for key, value in given.items():
        if not isinstance(value, str) or len(value) > 500 or len(key) > 40:
            raise unreadable("Metadata takes keys of 40 and texts of 500 characters", f"{name}[{key}]",
                             "parameter_invalid_string")  # fmt: skip
    return {key: value or None for key, value in given.items()}


def one_of(*known: str) -> Callable[[Any, str], str | None]:
    """Return the reader of an enumeration; empty unsets."""

    def read(given: Any, name: str) -> str | None:
        if given not in (*known, ""):
            must = ", ".join(known)
            raise unreadable(f"Invalid {name}: must be one of {must}", name, "parameter_invalid_enum")
        return str(given) or None

    return read


def instants(given: Any, name: str) -> dict[str, int]:
    """Read an instant or a range of instants."""
    if isinstance(given, dict):
        return checked(given, {"gt": integer, "gte": integer, "lt": integer, "lte": integer}, name)
    return {"gte": integer(given, name), "lte": integer(given, name)}


def merged(old: Json | None, new: dict[str, str | None] | None) -> dict[str, str]:
    """Return metadata after an update: keys set to nothing disappear."""
    if new is None:
        return dict(old or {})
    kept = {} if "" in new else (old or {})
    return {key: value for key, value in {**kept, **new}.items() if value is not None}


PAGE = {"limit": integer, "starting_after": text, "ending_before": text}
ADDRESS = {
    "city": text,
    "country": text,
    "line1": text,
    "line2": text,
    "postal_code": text,
    "state": text,
}
