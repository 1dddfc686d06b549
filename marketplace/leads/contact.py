"""The four contact classes of the trade, as one table of what the data of a lead must and must not have."""

from itertools import product
from typing import Literal, NamedTuple

ContactClass = Literal["quick", "registration", "promotional", "interested"]

OFFLINE_CHANNELS = frozenset({"exhibition", "flyer"})


class ContactFacts(NamedTuple):
    """What the classes are told apart by; `elaborate` is comments or a best time to call."""

    offline: bool
    name: bool
    phone: bool
    email: bool
    elaborate: bool
    most_answers: bool


class Row(NamedTuple):
    """A class and what each fact must be for it; None is whatever."""

    contact_class: ContactClass
    offline: bool | None = None
    name: bool | None = None
    phone: bool | None = None
    email: bool | None = None
    elaborate: bool | None = None
    most_answers: bool | None = None


# The first row that fits decides (domain D3); the last one fits everything.
TABLE: tuple[Row, ...] = (
    Row("promotional", offline=True),  # paper slips from fairs and streets, whatever was filled in
    Row("interested", elaborate=True, most_answers=True),  # the full questionnaire, comments, when to call
    Row("quick", name=True, phone=True),  # a name and a number
    Row("registration", phone=False, email=True),  # no number, but enough for an account
    Row("promotional"),  # irregular: a number without a name, or a profile link alone
)


def class_of(facts: ContactFacts) -> ContactClass:
    """Return the class of the first row that fits; every combination of facts has one."""
    return _CLASSES[facts]


def most_answered(asked: tuple[str, ...], attributes: dict[str, str | int | float | bool | None]) -> bool:
    """Tell whether at least half of what the vertical asks the person has an answer."""
    missing = [*map(attributes.get, asked)].count(None)
    return missing <= len(asked) // 2


def _fits(row: Row, facts: ContactFacts) -> bool:
    return all(wanted is None or wanted == fact for wanted, fact in zip(row[1:], facts, strict=True))


# The table resolved once for every combination, so that a lead costs one look-up.
_CLASSES: dict[ContactFacts, ContactClass] = {
    facts: next(row.contact_class for row in TABLE if _fits(row, facts))
    for facts in (ContactFacts(*values) for values in product((False, True), repeat=len(ContactFacts._fields)))
}
