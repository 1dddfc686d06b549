"""What somebody wants a price suggested for, as a query string says it."""

from collections.abc import Mapping

from core.errors import Fault, Malformed
from core.money import Money
from marketplace.market.suggestion import Wish
from marketplace.orders.terms import CONTACT_CLASSES, TEMPERATURES

MOST_LEADS = 1_000_000


def wish_asked(query: Mapping[str, str], currency: str) -> Wish:
    """Read a wish; Malformed names every word and number that cannot be read."""
    faults: list[Fault] = []
    wish = Wish(
        _count(query.get("leads_a_day", ""), faults), _words(query, "temperatures", TEMPERATURES, faults),
        _words(query, "contact_classes", CONTACT_CLASSES, faults), _price(query.get("price", ""), currency, faults),
    )  # fmt: skip
    if faults:
        raise Malformed("bad_filter", "No price can be suggested for this.", faults)
    return wish


def _words(query: Mapping[str, str], name: str, known: tuple[str, ...], faults: list[Fault]) -> tuple[str, ...]:
    words = tuple(one.strip() for one in query.get(name, "").split(",") if one.strip())
    if not set(words) <= set(known):
        faults.append(Fault(name, "not_allowed_value", f"Send some of {', '.join(known)}, with commas."))
    return words


def _count(text: str, faults: list[Fault]) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= MOST_LEADS and len(text) < 9):
        faults.append(Fault("leads_a_day", "out_of_range", f"Send a whole number from 1 to {MOST_LEADS}."))
        return None
    return int(text)


def _price(text: str, currency: str, faults: list[Fault]) -> int | None:
    try:
        return Money.parse(text, currency).minor if text else None
    except ValueError as error:
        faults.append(Fault("price", "bad_amount", f"Send an amount in {currency}: {error}."))
        return None
