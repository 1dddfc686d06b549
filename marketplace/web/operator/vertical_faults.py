"""Where each fault of a vertical's definition stands: at its field of the form, or at its line of the text."""

from collections.abc import Iterable
from typing import Any

import yaml

from core.errors import Fault
from core.words import gettext
from marketplace.web.operator.vertical_form import VerticalForm, filled_rows

PLACES = {
    "min_price.amount": "min_price", "min_price.currency": "currency", "prices.cpl.shared.0": "shared_low",
    "prices.cpl.shared.1": "shared_high", "prices.cpl.shared": "shared_high", "share.buyers": "share_buyers",
    "prices.cpl.exclusive.0": "exclusive_low", "prices.cpl.exclusive.1": "exclusive_high",
    "prices.cpl.exclusive": "exclusive_high", "share.buyers_ceiling": "share_ceiling",
    "consent.max_age_days": "consent_days", "distribution.rule": "rule", "distribution.contest": "contest",
    "distribution.fall_back": "fall_back",
}  # fmt: skip
# Lists of rows, by the name of what the definition keeps under a word: the row's field with the word, and the others.
LISTED = {"margin": ("bands", "from_", "keep"), "min_prices": ("least", "contact_class", "amount")}
KEYED = {"names": ("names", "language", "name"), "disputes": ("reasons", "reason", "window_hours"),
         "settings": ("settings", "key", "value")}  # fmt: skip


def place_faults(form: VerticalForm, faults: Iterable[Fault]) -> None:
    """Put each fault at the field of the form that it is about; above the form, with its place, when there is none."""
    for fault in faults:
        field = _field_of(form, fault.field)
        if field is None:
            form.form_errors.append(f"{fault.field}: {fault.message}")
        else:
            field.errors = [*field.errors, fault.message]


def twice_named(form: VerticalForm) -> list[tuple[Any, str]]:
    """Name the rows whose word stands in an earlier row already: a definition has one place for both."""
    found = []
    for rows, word, _ in KEYED.values():
        seen: set[str] = set()
        for row in filled_rows(form[rows]):
            text = (row.form[word].data or "").strip()
            if text in seen:
                found.append((row.form[word], gettext("This stands in a row above already.")))
            seen.add(text)
    return found


def lines_of(text: str, faults: Iterable[Fault]) -> list[tuple[int | None, Fault]]:
    """Return each fault with the line of the text that it is about, None when the text is no YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        root = None
    return [(_line(root, fault.field) if root else None, fault) for fault in faults]


def _field_of(form: VerticalForm, place: str) -> Any:
    head, *rest = place.split(".")
    if place in PLACES:
        return form[PLACES[place]]
    if head == "fields" and rest:
        return _in_attributes(form, rest)
    if head in LISTED:
        return _in_listed(form, head, rest)
    if head in KEYED:
        return _in_keyed(form, head, place.removeprefix(head).removeprefix("."))
    return next((field for field in form if field.short_name == head), None)


def _in_attributes(form: VerticalForm, rest: list[str]) -> Any:
    rows = filled_rows(form.attributes)
    if not rest[0].isdigit() or int(rest[0]) >= len(rows):
        return None
    row = rows[int(rest[0])].form
    return row[rest[1]] if len(rest) > 1 and rest[1] in row else row.name


def _in_listed(form: VerticalForm, head: str, rest: list[str]) -> Any:
    """Find the field in a row of margins or least prices; what is about a row as a whole stands at its last word."""
    rows, first, last = LISTED[head]
    filled = filled_rows(form[rows])
    if not rest or not rest[0].isdigit() or int(rest[0]) >= len(filled):
        return form[rows]
    row = filled[int(rest[0])].form
    name = {"from": "from_", "bp": "keep"}.get(rest[1], rest[1]) if len(rest) > 1 else first
    if head == "margin" and len(rest) == 1:
        return row.keep
    return row[name if name in row else last]


def _in_keyed(form: VerticalForm, head: str, rest: str) -> Any:
    rows, word, other = KEYED[head]
    for row in filled_rows(form[rows]):
        key = (row.form[word].data or "").strip()
        if rest == key or rest.startswith(f"{key}."):
            is_value = {"names": len(key) == 2, "settings": True}.get(head, rest != key)
            return row.form[other if is_value and key else word]
    return form[rows]


def _line(node: yaml.Node, place: str) -> int:
    """Return the line of a place, or of the nearest thing around it that is there."""
    line: int = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if place == key.value or place.startswith(f"{key.value}."):
                inner = _line(value, place.removeprefix(str(key.value)).removeprefix("."))
                return inner if inner > key.start_mark.line else key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        head, _, rest = place.partition(".")
        if head.isdigit() and int(head) < len(node.value):
            return _line(node.value[int(head)], rest)
    return line
