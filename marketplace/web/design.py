"""The page that shows every component in every state: what pages are made of, with made-up figures."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, render_template
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from core.actors import present_person
from core.errors import NotFound
from core.http import public, settings
from core.i18n import compact
from core.keyset import Asked
from core.money import Money
from core.pages import page_time
from marketplace.web.charts import Series, bar_chart, line_chart
from marketplace.web.words import STATES

design = Blueprint("design", __name__)
DAYS = [f"{day} Nov" for day in range(13, 27)]
POSTED = (31, 38, 29, 12, 9, 41, 44, 37, 40, 35, 14, 11, 46, 41)
SOLD = (25, 31, 22, 9, 8, 33, 37, 30, 31, 29, 10, 9, 38, 34)
SPENT = (310.0, 402.5, 280.0, 90.0, 120.0, 460.0, 512.0, 433.0, 390.0, 420.0, 150.0, 95.0, 540.0, 612.4)
LONG = "A name of two hundred characters " * 6 + "ends"
NAMES = ("Studiekiezer", "<b>Markup & Sons</b>", "שם מימין לשמאל", LONG)


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up row."""

    id: UUID
    name: str
    state: str
    paid: Money
    score: int


class SampleForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Every kind of field."""

    name = StringField()
    price = DecimalField()
    secret = PasswordField()
    vertical = SelectField(choices=[SelectChoice("education", "Education"), SelectChoice("car", "Car insurance")])
    model = RadioField(choices=[SelectChoice("cpl", "Per lead"), SelectChoice("cpa", "Per action")], default="cpl")
    note = TextAreaField()
    verified = BooleanField()


@design.get("/design")
@public
def components() -> str:
    """Show the components: to operators, and to anybody where the settings say so."""
    person = present_person()
    if not settings().show_design and (person is None or person.kind != "operator"):
        raise NotFound(detail="There is nothing at this address.")
    form = SampleForm()
    form.price.errors = ["Bid at least 4.20 EUR: nothing is sold below that in education."]
    flash("Order Paris students is paused. Leads posted from now on pass it by.", "info")
    return render_template(
        "design.html", form=form, rows=_rows(), **_charts(), states=STATES, asked=Asked("paid", True), posted=POSTED,
        hour_ago=page_time() - timedelta(minutes=61), spent=Money(61240, "EUR"),
    )  # fmt: skip


def _rows() -> list[Sample]:
    states = ("sold", "pending", "rejected", "unsold")
    return [
        Sample(UUID(int=7 << 120 | place << 8), name, states[place], Money(1400 * (place + 1), "EUR"), 90 - 17 * place)
        for place, name in enumerate(NAMES)
    ]


def _charts() -> dict[str, object]:
    lines = line_chart([Series("posted", POSTED), Series("sold", SOLD)], DAYS, compact)
    return {"lines": lines, "bars": bar_chart(Series("spent", SPENT), DAYS, compact)}
