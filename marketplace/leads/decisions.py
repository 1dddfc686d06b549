"""The stored story of a decision: who was tried, in which order, and what became of each; in two forms, which it reads.

Most are lists: order, version, outcome, then what was reached, the price of a ladder, or both. Where very many were
tried each is one short text (migrations/sql/0050_short_decisions/short.sql), so that a decision stays below 2 KB.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

_LETTERS = {
    "s": "sold", "o": "outbid", "f": "share_full", "w": "other_way", "x": "filtered", "b": "below_min", "c": "capped",
    "n": "no_funds",
}  # fmt: skip
_LETTER_OF = {word: letter for letter, word in _LETTERS.items()}
_SHORT = re.compile(r"([A-Za-z0-9_-]{22})([a-z])(\d+)(?: ([^@]*))?(?:@(\d+))?", re.DOTALL)


class Tried(NamedTuple):
    """One candidate: what became of which version of its order, what it had reached, and its price by a ladder."""

    order_id: UUID
    version: int
    outcome: str
    reached: str | None = None
    price_minor: int | None = None


def tried_in(decision: Mapping[str, Any]) -> list[Tried]:
    """Return who was tried, in the order considered; nobody where the market was not asked."""
    return [_read(one) for one in decision.get("tried", ())]


def is_short(decision: Mapping[str, Any]) -> bool:
    """Tell whether a decision is kept in the short form."""
    return any(isinstance(one, str) for one in decision.get("tried", ()))


def written(book: int, outcome: str, tried: Iterable[Tried], *, short: bool) -> str:
    """Write a decision as the database keeps it, byte for byte."""
    told = [(_shortly(one) if short else None) or _at_length(one) for one in tried]
    document = {"book": book, "outcome": outcome, "tried": told}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _read(one: Any) -> Tried:
    if isinstance(one, str):
        found = _SHORT.fullmatch(one)
        assert found is not None, "only the database writes decisions"
        shown, letter, version, reached, price = found.groups()
        order_id = UUID(bytes=urlsafe_b64decode(shown + "=="))
        return Tried(order_id, int(version), _LETTERS[letter], reached, None if price is None else int(price))
    order_id, version, outcome, *more = one
    reached = next((said for said in more if isinstance(said, str)), None)
    return Tried(
        UUID(order_id), version, outcome, reached, next((said for said in more if isinstance(said, int)), None)
    )


def _at_length(one: Tried) -> list[Any]:
    more = [said for said in (one.reached, one.price_minor) if said is not None]
    return [str(one.order_id), one.version, one.outcome, *more]


def _shortly(one: Tried) -> str | None:
    letter = _LETTER_OF.get(one.outcome)
    if letter is None:
        return None
    shown = urlsafe_b64encode(one.order_id.bytes).decode().rstrip("=")
    reached = "" if one.reached is None else f" {one.reached}"
    return f"{shown}{letter}{one.version}{reached}" + ("" if one.price_minor is None else f"@{one.price_minor}")
