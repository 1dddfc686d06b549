"""The fields of an order's form that ask for the ages of leads and for what happens at a cap."""

from wtforms import BooleanField, Form, RadioField, SelectChoice, SelectField, StringField

from core.words import lazy_gettext as _l
from marketplace.orders.ages import AT_CAP, RESALABLE, UNITS
from marketplace.web.buyer.ticks import Ticks

UNIT_WORDS = {"days": _l("days"), "hours": _l("hours"), "minutes": _l("minutes")}
CAP_WORDS = {"next": _l("The next order takes the lead"), "wait": _l("If nobody takes it, it waits for this order")}
RETURNED_WORDS = {
    "duplicate": _l("Its buyer had the person already"), "out_of_criteria": _l("It did not meet his conditions"),
    "unreachable": _l("He reached nobody"),
}  # fmt: skip


class AgeFields(Form):  # type: ignore[misc]  # it ships no types
    """The ages that an order buys, and what happens at its cap."""

    age_from, age_to = StringField(), StringField()
    age_unit = SelectField(choices=[SelectChoice(one, UNIT_WORDS[one]) for one in UNITS], default="days",
                           validate_choice=False)  # fmt: skip
    age_resold = BooleanField()
    age_returned = Ticks(choices=[SelectChoice(one, RETURNED_WORDS[one]) for one in RESALABLE])
    at_cap = RadioField(choices=[SelectChoice(one, CAP_WORDS[one]) for one in AT_CAP], default="next",
                        validate_choice=False)  # fmt: skip
    wait_hours = StringField()
