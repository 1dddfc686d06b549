"""The form of an order: every field as text, so that what was typed stays and the domain says what is wrong with it."""

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length

from core.i18n import said
from core.words import lazy_gettext as _l
from marketplace.orders.filters import OPERATORS
from marketplace.orders.periods import DAYS
from marketplace.orders.prices import FIELDS
from marketplace.orders.terms import CONTACT_CLASSES, EXCLUSIVITIES, PERIODS, TEMPERATURES
from marketplace.resolved import settings_of_orders
from marketplace.web import words
from marketplace.web.buyer.order_age_fields import AgeFields
from marketplace.web.buyer.ticks import Ticks

SPARE_FILTERS, SPARE_MODIFIERS, SPARE_WINDOWS, SPARE_SETTINGS, SPARE_STEPS = (
    3,
    2,
    1,
    1,
    2,
)  # empty rows that stand ready
SIMPLE = ("none", "webhook", "email")  # deliveries with fields of their own; the others are written as JSON
OTHER = "json"


def _choices(names: tuple[str, ...], said: dict[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(name, said.get(name, name)) for name in names]


class FilterForm(Form):  # type: ignore[misc]  # it ships no types
    """One condition on a field of the lead."""

    field = StringField()
    op = SelectField(choices=[SelectChoice("", "–"), *_choices(OPERATORS, words.OPERATORS)], validate_choice=False)  # noqa: RUF001  # a dash
    value = StringField()


class WindowForm(Form):  # type: ignore[misc]  # it ships no types
    """Hours of some days."""

    days = Ticks(choices=_choices(DAYS, words.DAYS))
    from_ = StringField()
    to = StringField()


class LimitForm(Form):  # type: ignore[misc]  # it ships no types
    """The most leads and the most money in one period."""

    cap = StringField()
    budget = StringField()


class WeekdaysForm(Form):  # type: ignore[misc]  # it ships no types
    """The most leads on each day of the week."""

    mon, tue, wed, thu, fri, sat, sun = (StringField() for _ in DAYS)

    def days(self) -> list[tuple[Any, Any]]:
        """Return the field of each day with its name."""
        return [(words.DAYS[day], self[day]) for day in DAYS]


class StepForm(Form):  # type: ignore[misc]  # it ships no types
    """From which lead of the period on which price holds."""

    count = StringField()
    price = StringField()


class ModifierForm(Form):  # type: ignore[misc]  # it ships no types
    """More or less for some leads: a percentage such as +25 % or an amount such as -2.00."""

    field = SelectField(choices=[SelectChoice("", "–"), *_choices(FIELDS, words.PRICED_BY)], validate_choice=False)  # noqa: RUF001  # a dash
    values = StringField()
    change = StringField()


class OwnSettingForm(Form):  # type: ignore[misc]  # it ships no types
    """One of the exchange's settings, narrower for this order."""

    key = SelectField(validate_choice=False)
    value = StringField()

    def __init__(self, *given: Any, **named: Any) -> None:
        """Offer the settings that an order may narrow, each with what it says and in which unit."""
        super().__init__(*given, **named)
        units = {row.key: "on, off" if row.unit == "switch" else row.unit for row in settings_of_orders()}
        offered = [SelectChoice(row.key, f"{said(row.says)} ({units[row.key]})") for row in settings_of_orders()]
        self.key.choices = [SelectChoice("", "–"), *offered]  # noqa: RUF001  # a dash


class OrderForm(AgeFields, FlaskForm):  # type: ignore[misc]  # it ships no types
    """What an order says."""

    version = HiddenField()
    name = StringField()
    vertical = SelectField(validate_choice=False)
    regions = StringField()
    postal_prefixes = TextAreaField()
    postal_file = FileField()
    radius_place, radius_country, radius_km = StringField(), StringField(), StringField()
    radius_latitude, radius_longitude = StringField(), StringField()
    price = StringField()
    modifiers = FieldList(FormField(ModifierForm), max_entries=60)
    price_floor, price_ceiling = StringField(), StringField()
    returns = BooleanField(default=True)
    exclusivity = RadioField(choices=_choices(EXCLUSIVITIES, words.EXCLUSIVITIES), default="shared")
    max_share = StringField()
    filters = FieldList(FormField(FilterForm), max_entries=60)
    temperatures = Ticks(choices=_choices(TEMPERATURES, words.TEMPERATURES))
    contact_classes = Ticks(choices=_choices(CONTACT_CLASSES, words.CONTACT_CLASSES))
    min_score = StringField()
    verified_only = BooleanField()
    contact_sla = BooleanField()
    settings = FieldList(FormField(OwnSettingForm), max_entries=40)
    hour, day, week, month, total = (FormField(LimitForm) for _ in PERIODS)
    weekday = FormField(WeekdaysForm)
    pacing = BooleanField()
    ladder_period = SelectField(
        choices=[SelectChoice("", _l("The price stays")), *_choices(PERIODS, words.PERIODS)], validate_choice=False
    )
    ladder_steps = FieldList(FormField(StepForm), max_entries=30)
    timezone = StringField()
    contact_hours = BooleanField()
    windows = FieldList(FormField(WindowForm), max_entries=110)
    delivery = RadioField(choices=_choices((*SIMPLE, OTHER), words.DELIVERIES), default="none")
    delivery_url = StringField()
    delivery_to = StringField()
    delivery_json = TextAreaField(validators=[Length(max=100_000, message=_l("Write at most 100,000 characters."))])

    def limits(self) -> list[tuple[str, Any]]:
        """Return the row of limits of each period."""
        return [(period, self[period]) for period in PERIODS]

    def add_spare_rows(self) -> None:
        """Let some empty rows stand ready, as many each time."""
        for rows, spare in (
            (self.filters, SPARE_FILTERS),
            (self.modifiers, SPARE_MODIFIERS),
            (self.windows, SPARE_WINDOWS),
            (self.settings, SPARE_SETTINGS),
            (self.ladder_steps, SPARE_STEPS),
        ):
            empty = sum(not is_filled(row) for row in rows)
            for _ in range(min(spare - empty, rows.max_entries - len(rows))):
                rows.append_entry()


def is_filled(row: Any) -> bool:
    """Tell whether anything was written into a row of a list."""
    return any(field.data for field in row.form)
