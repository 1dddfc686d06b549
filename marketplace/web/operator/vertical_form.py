"""The form of a vertical: every field as text, so that what was typed stays and the catalogue says what is wrong."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from core.defaults import defaults
from core.words import lazy_gettext as _l
from marketplace.catalog.definition import CONTACT_FIELDS, OWN_FIELDS
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.catalog.distribution import CLASSES
from marketplace.web import words

SAVE, LOOK = "save", "look"
TYPES = {
    "enum": _l("One of a list"),
    "integer": _l("Whole number"),
    "number": _l("Number"),
    "boolean": _l("Yes or no"),
    "string": _l("Text"),
    "date": _l("Date"),
}
PROOFS = {
    "none": _l("None"),
    "sms_code": _l("A code by SMS"),
    "email_link": _l("A link by e-mail"),
}
RULES = {
    "best_price": _l("The best price first"),
    "priority": _l("By the operator's priority"),
    "round_robin": _l("In turn: longest without a purchase first"),
    "weighted": _l("By target share: least received of it first"),
    "tiers": _l("By priority, and by price within it"),
}
CONTESTS = {
    "total_value": _l("One buyer or several, whichever pays more in all"),
    "first": _l("Whoever ranks first decides whether one buys or several"),
    "exclusive": _l("One buyer rather than several"),
    "shared": _l("Several buyers rather than one"),
}
CLASSES_HERE = {"": _l("Any kind of contact"), **{name: words.CONTACT_CLASSES[name] for name in CLASSES}}
COUNTS = {"": _l("As the exchange says"), "yes": _l("It counts here"), "no": _l("It does not count here")}
MOST_ROWS = 250  # the catalogue itself refuses more than 200 fields
ROW_DEFAULTS: dict[str, dict[str, Any]] = {"attributes": {"asked": True, "type": "string"}}
UNTOLD = ("type", "asked", "required", "counts")  # what a row holds without anybody having written into it


def settings_here() -> list[str]:
    """List the keys of the exchange's settings that a vertical may change beside those with a field of their own."""
    return [row.key for row in defaults().rows()
            if row.vertical != "no" and row.key not in OWN_FIELDS and not row.key.startswith("dispute.")]  # fmt: skip


def _choices(said: dict[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(name, word) for name, word in said.items()]


class Ticks(SelectMultipleField):  # type: ignore[misc]  # it ships no types
    """Several of a few words, each with a box to tick."""

    widget, option_widget = ListWidget(prefix_label=False), CheckboxInput()
    validate_choice = False


class NameForm(Form):  # type: ignore[misc]  # it ships no types
    """What the vertical is called in one language."""

    language = StringField()
    name = StringField()


class AttributeForm(Form):  # type: ignore[misc]  # it ships no types
    """One field that a lead may fill."""

    name = StringField()
    label = StringField()
    type = SelectField(choices=_choices(TYPES), validate_choice=False)
    help = StringField()
    required = BooleanField()
    asked = BooleanField()
    values = TextAreaField()
    min = StringField()
    max = StringField()
    max_length = StringField()
    example = StringField()


class BandForm(Form):  # type: ignore[misc]  # it ships no types
    """What the platform keeps of prices from one on: a percentage such as 25 % or an amount such as 5.00."""

    from_ = StringField()
    keep = StringField()


class LeastForm(Form):  # type: ignore[misc]  # it ships no types
    """The least that is paid for leads of a region, of a contact class, or of both."""

    amount = StringField()
    region = StringField()
    contact_class = SelectField(choices=_choices(CLASSES_HERE), validate_choice=False)


class ReasonForm(Form):  # type: ignore[misc]  # it ships no types
    """What the vertical says otherwise of one reason of disputes."""

    reason = SelectField(validate_choice=False)
    counts = SelectField(choices=_choices(COUNTS), validate_choice=False)
    window_hours = StringField()


class SettingForm(Form):  # type: ignore[misc]  # it ships no types
    """What the vertical says otherwise of one of the exchange's settings."""

    key = SelectField(validate_choice=False)
    value = StringField()


class VerticalForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What a vertical says; `seen` is the version that it was opened at, `agreed` the mark of what was told."""

    seen = HiddenField()
    agreed = HiddenField()
    slug = StringField()
    currency = StringField(default="EUR")
    names = FieldList(FormField(NameForm), max_entries=MOST_ROWS)
    min_price = StringField()
    least = FieldList(FormField(LeastForm), max_entries=MOST_ROWS)
    bands = FieldList(FormField(BandForm), max_entries=MOST_ROWS)
    shared_low, shared_high, exclusive_low, exclusive_high = (StringField() for _ in range(4))
    window_hours = StringField()
    decision_days = StringField()
    dedupe_days = StringField()
    buyer_dedupe_days = StringField()
    delivery_grace_minutes = StringField()
    share_buyers = StringField()
    share_ceiling = StringField()
    rule = SelectField(choices=_choices(RULES), default="best_price", validate_choice=False)
    contest = SelectField(choices=_choices(CONTESTS), default="total_value", validate_choice=False)
    fall_back = BooleanField(default=True)
    consent_required = BooleanField()
    consent_days = StringField()
    verification = RadioField(choices=_choices(PROOFS), default="none")
    contact_required = Ticks(choices=[SelectChoice(name, words.CONTACT[name]) for name in CONTACT_FIELDS])
    example_region = StringField()
    reasons = FieldList(FormField(ReasonForm), max_entries=MOST_ROWS)
    settings = FieldList(FormField(SettingForm), max_entries=MOST_ROWS)
    attributes = FieldList(FormField(AttributeForm), max_entries=MOST_ROWS)

    def offer(self) -> None:
        """Put the reasons and settings to choose from into their rows."""
        for row in self.reasons:
            row.form.reason.choices = _named(list(dispute_rules().reasons))
        for row in self.settings:
            row.form.key.choices = _named(settings_here())

    def rearrange(self, asked: str) -> None:
        """Add, remove or move one row, as a button said: `attributes add`, `attributes up 3`; nothing else is done."""
        name, _, rest = asked.partition(" ")
        verb, _, place = rest.partition(" ")
        if name not in ("names", "reasons", "settings", "attributes", "bands", "least"):
            return
        rows = [row.data for row in self[name]]
        index = int(place) if place.isascii() and place.isdigit() and len(place) < 4 else len(rows)
        if verb == "add" and len(rows) < MOST_ROWS:
            rows.append(ROW_DEFAULTS.get(name, {}))
        elif index < len(rows):
            _move(rows, verb, index)
        _refill(self[name], rows)


class TextForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """A vertical as its file."""

    seen = HiddenField()
    agreed = HiddenField()
    text = TextAreaField(validators=[Length(max=200_000, message=_l("Write at most 200,000 characters."))])


def is_filled(row: Any) -> bool:
    """Tell whether anything was written into a row of a list."""
    return any(field.data for field in row.form if field.short_name not in UNTOLD)


def filled_rows(rows: Any) -> list[Any]:
    """Return the rows of a list that say something: what a definition's places count."""
    return [row for row in rows if is_filled(row)]


def _named(codes: list[str]) -> list[SelectChoice]:
    return [SelectChoice("", _l("Choose"))] + [SelectChoice(one, one) for one in codes]


def _move(rows: list[Any], verb: str, index: int) -> None:
    other = index + {"up": -1, "down": 1}.get(verb, 0)
    if verb == "remove":
        del rows[index]
    elif 0 <= other < len(rows):
        rows[index], rows[other] = rows[other], rows[index]


def _refill(held: Any, rows: list[Any]) -> None:
    held.entries, held.last_index = [], -1
    for one in rows:
        held.append_entry(one)
