"""What somebody typed into the form of an order, as the values of a body: texts, whole numbers, amounts, rows."""

from typing import Any

from marketplace.web.buyer.order_form import is_filled


def text_of(field: Any) -> str:
    """Return what was typed, without spaces around it."""
    return (field.data or "").strip()


def number_of(field: Any) -> int | None:
    """Return a whole number, None for anything else."""
    text = text_of(field)
    return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None


def money_of(field: Any, currency: str) -> dict[str, str] | None:
    """Return an amount as bodies have it, None when nothing was typed."""
    text = text_of(field)
    return {"amount": text, "currency": currency} if text else None


def filled_rows(rows: Any) -> list[Any]:
    """Return the rows of a list that say something: what a body's places count."""
    return [row for row in rows if is_filled(row)]
