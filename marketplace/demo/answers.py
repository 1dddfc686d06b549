"""Answers of invented people to what a vertical asks: plausible values of each field, from a seeded source."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from marketplace.catalog.fields import FieldDefinition, Scalar
from marketplace.catalog.verticals import Vertical


def answers_to(vertical: Vertical, share: float, on: date, dice: Random) -> dict[str, Scalar]:
    """Answer the obligatory questions and about this share of the others; every value is one the field accepts."""
    return {
        field.name: _INVENT[field.type](field, on, dice)
        for field in vertical.fields
        if field.required or (field.asked and dice.random() < share)
    }


def _word(field: FieldDefinition, _on: date, dice: Random) -> Scalar:
    # People mostly choose what stands first; the example is the commonest answer.
    if isinstance(field.example, str) and dice.random() < 0.25:
        return field.example
    return dice.choice(field.values)


def _number(field: FieldDefinition, _on: date, dice: Random) -> Scalar:
    usual: Any = field.example if field.example is not None else max(field.min or 0, 0) + 1
    low = max(usual * 0.5, float("-inf") if field.min is None else field.min)
    high = min(usual * 1.8 + 1, float("inf") if field.max is None else field.max)
    value = dice.triangular(low, high, min(max(usual, low), high))
    return round(value) if field.type == "integer" else round(value, 1)


def _year_or_number(field: FieldDefinition, on: date, dice: Random) -> Scalar:
    if (field.min or 0) >= 1000 and (field.max or 0) == 2100:
        return dice.randint(max(int(field.min or 0), on.year - 40), on.year)
    return _number(field, on, dice)


def _day(field: FieldDefinition, on: date, dice: Random) -> Scalar:
    if field.name.endswith("birth_date"):
        return (on - timedelta(days=dice.randint(20 * 365, 75 * 365))).isoformat()
    return (on + timedelta(days=dice.randint(3, 200))).isoformat()


def _text(field: FieldDefinition, _on: date, _dice: Random) -> Scalar:
    return field.example if isinstance(field.example, str) else "other"[: field.max_length]


_INVENT: dict[str, Callable[[FieldDefinition, date, Random], Scalar]] = {
    "enum": _word,
    "integer": _year_or_number,
    "number": _number,
    "boolean": lambda _field, _on, dice: dice.random() < 0.5,
    "string": _text,
    "date": _day,
}
