"""What somebody typed into the form of an order, as the values of a body: texts, whole numbers, amounts, rows."""

from typing import Any

from marketplace.web.buyer.order_form import is_filled

LONGEST = 18  # digits, which are more than any limit has and fit into the database's whole numbers


def text_of(field: Any) -> str:
    """Return what was typed, without spaces around it."""
    return (field.data or "").strip()


def number_of(field: Any) -> int | None:
    """Return a whole number, None for anything else."""
    return whole_of(text_of(field))


def whole_of(text: str) -> int | None:
    """Read a whole number, None for anything else; one beyond all limits as another beyond them.

    Python refuses to read thousands of digits, and what is too large is the domain's to say.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        return None
    shown = (digits.lstrip("0") or "0")[:LONGEST]
    return -int(shown) if text.startswith("-") else int(shown)


def money_of(field: Any, currency: str) -> dict[str, str] | None:
    """Return an amount as bodies have it, None when nothing was typed."""
    text = text_of(field)
    return {"amount": text, "currency": currency} if text else None


def filled_rows(rows: Any) -> list[Any]:
    """Return the rows of a list that say something: what a body's places count."""
    return [row for row in rows if is_filled(row)]
