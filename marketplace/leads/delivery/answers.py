"""What a buyer's answer means: rules as data, and the verdict on a status and a body."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct, field

from core.errors import Fault
from core.money import Money
from marketplace.leads.delivery.finding import MAX_FOUND, Answer, reader_of

Outcome = Literal["accepted", "refused", "error"]

KINDS = ("json", "xpath", "css", "regex")
MAX_RULES, MAX_REASON, MAX_REFERENCE, MAX_URL = 50, 300, 200, 2000


class Place(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Where a value stands in the answer: exactly one of a JSON path, XPath, CSS selector and regular expression."""

    json: str | None = None
    xpath: str | None = None
    css: str | None = None
    regex: str | None = None


class Decision(Place, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What the answer came to if a value is there: `is` compares it whole, `says` looks for whole words.

    Without both it need only be there. `status` asks for one of these HTTP statuses too, or alone without a place.
    Blanks around a value and capitals do not count; so "Unmatched" neither is "matched" nor says it.
    """

    outcome: Outcome
    status: tuple[int, ...] = ()
    is_: tuple[str, ...] = field(default=(), name="is")
    says: tuple[str, ...] = ()


class AnswerRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a buyer answers: the first decision that holds counts, `otherwise` when none does.

    Of the places of a value, the first that has one counts.
    """

    decide: tuple[Decision, ...] = ()
    otherwise: Outcome = "error"
    reason: tuple[Place, ...] = ()
    price: tuple[Place, ...] = ()
    reference: tuple[Place, ...] = ()
    redirect_url: tuple[Place, ...] = ()


class Verdict(NamedTuple):
    """What an answer came to; `price_minor` is in the currency it was read with, `redirect_url` is http or https.

    `not_sent` is the verdict on what was never sent: there is nothing to try again.
    """

    outcome: Outcome | Literal["not_sent"]
    reason: str = ""
    price_minor: int | None = None
    reference: str | None = None
    redirect_url: str | None = None


# Any 2xx answer accepts, an empty one too; {"accepted": false, "reason": …} refuses.
WEBHOOK_RULES = AnswerRules(
    decide=(Decision(outcome="refused", json="$.accepted", is_=("false",)),),
    otherwise="accepted",
    reason=(Place(json="$.reason"),),
    reference=(Place(json="$.reference"),),
    redirect_url=(Place(json="$.redirect_url"),),
)


def judged(rules: AnswerRules, status: int, body: bytes, currency: str) -> Verdict:
    """Tell what an answer with this HTTP status and body means; prices are read in `currency` (ISO 4217).

    Only 2xx can accept. A body of 4xx may refuse; 408, 429 and all else are errors, whatever the body says.
    """
    if not (200 <= status < 300 or (400 <= status < 500 and status not in (408, 429))):
        return Verdict("error", f"HTTP {status}")
    answer = Answer(body)
    outcome = _outcome(rules, status, answer)
    reason = "" if outcome == "accepted" else _line(_first(rules.reason, answer), MAX_REASON)
    return Verdict(
        outcome,
        reason or ("" if outcome == "accepted" else _unexplained(status, outcome)),
        _price(_first(rules.price, answer), currency),
        _line(_first(rules.reference, answer), MAX_REFERENCE) or None,
        _link(_first(rules.redirect_url, answer)),
    )


def answer_faults(where: str, rules: AnswerRules) -> Iterator[Fault]:
    """Yield the rules that cannot be used; `where` begins the names of the fields."""
    for name in ("decide", "reason", "price", "reference", "redirect_url"):
        places: tuple[Place, ...] = getattr(rules, name)
        if len(places) > MAX_RULES:
            yield Fault(f"{where}.{name}", "too_many", f"Write at most {MAX_RULES} rules.")
        for number, place in enumerate(places[:MAX_RULES]):
            yield from _place_faults(f"{where}.{name}.{number}", place)
    if "accepted" not in {rules.otherwise, *(each.outcome for each in rules.decide)}:
        message = "Say what an accepted lead is answered with, or set otherwise to accepted."
        yield Fault(f"{where}.decide", "required", message)


def _place_faults(where: str, place: Place) -> Iterator[Fault]:
    kinds = _kinds_of(place)
    if len(kinds) != 1 and (kinds or not isinstance(place, Decision) or not place.status):
        yield Fault(where, "one_source", f"Give exactly one of {', '.join(KINDS)}.")
    for kind in kinds:
        try:
            reader_of(kind, getattr(place, kind))
        except ValueError as error:
            yield Fault(f"{where}.{kind}", "invalid_pattern", f"Change the expression: {str(error)[:300]}.")


# -- judging -----------------------------------------------------------------------------------------------------------


def _outcome(rules: AnswerRules, status: int, answer: Answer) -> Outcome:
    found = next((each.outcome for each in rules.decide if _holds(each, status, answer)), rules.otherwise)
    return "error" if found == "accepted" and status >= 300 else found


def _holds(condition: Decision, status: int, answer: Answer) -> bool:
    if condition.status and status not in condition.status:
        return False
    if not _kinds_of(condition):
        return bool(condition.status)
    value = _found(condition, answer)
    if value is None:
        return False
    text = " ".join(value.split()).casefold()
    if not condition.is_ and not condition.says:
        return text != ""
    words = f" {_spaced(text)} "
    return text in {each.strip().casefold() for each in condition.is_} or any(
        f" {_spaced(each.casefold())} " in words for each in condition.says
    )


def _spaced(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def _first(places: Iterable[Place], answer: Answer) -> str | None:
    return next((found for place in places if (found := _found(place, answer))), None)


def _found(place: Place, answer: Answer) -> str | None:
    kind = _kinds_of(place)[0]
    found = reader_of(kind, getattr(place, kind))(answer)
    return None if found is None else found.strip()[:MAX_FOUND]


def _kinds_of(place: Place) -> list[str]:
    return [kind for kind in KINDS if getattr(place, kind) is not None]


# -- reading values ----------------------------------------------------------------------------------------------------


def _unexplained(status: int, outcome: Outcome) -> str:
    if status >= 300:
        return f"HTTP {status}"
    return "the buyer gave no reason" if outcome == "refused" else "the answer cannot be understood"


def _line(text: str | None, length: int) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text or "")
    return " ".join(printable.split())[:length]


def _price(text: str | None, currency: str) -> int | None:
    """Read an amount such as 15.00, "$1,234.50" or "12,50 €" as minor units; None for anything else."""
    plain = re.sub(r"[^\d.,-]", "", text or "") if not re.search(r"\d[eE]", text or "") else ""
    head, comma, cents = plain.rpartition(",")
    if comma and len(cents) <= 2 and "." not in cents:
        plain = head.replace(".", "") + "." + cents
    try:
        amount = Decimal(plain.replace(",", ""))
        return Money.parse(format(amount.normalize(), "f"), currency).minor if 0 <= amount < 10**12 else None
    except (InvalidOperation, ValueError):
        return None


def _link(text: str | None) -> str | None:
    """Return a link that a browser may be sent to: http or https, with a host, without credentials or blanks."""
    if text is None or len(text) > MAX_URL or any(char <= " " or char == "\x7f" for char in text) or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return text if sound else None
