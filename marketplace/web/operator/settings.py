"""The operator's settings: every default with its reason, and what operators say otherwise, with who did and why."""

from datetime import datetime

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from core.actors import Person, page
from core.defaults import Default, Value
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.overrides import Word, say
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.regions import is_region
from marketplace.reports.settings import Story, setting_story, settings_shown
from marketplace.resolved import REACHES
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import LEVEL_WORDS, actor_said

SWITCH = {"on": True, "off": False}


def _trimmed(text: str | None) -> str:
    return (text or "").strip()


class SettingForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What an operator says; an empty value takes back what was said, an empty country stands for the exchange."""

    country = StringField(filters=[_trimmed, str.upper])
    value = StringField(filters=[_trimmed])
    reason = StringField(filters=[_trimmed],
                         validators=[DataRequired(_l("Say why: whoever reads this later wants to know.")),
                                     Length(max=1000, message=_l("Write at most 1000 characters."))])  # fmt: skip
    seen = HiddenField()


@operator.get("/settings")
@page("operator")
def settings(_: Person) -> str:
    """Show every setting by section."""
    sections = settings_shown()
    changed = sum(one.is_changed for _section, rows in sections for one in rows)
    return render_template("marketplace/operator/settings.html", sections=sections, changed=changed,
                           level_words=LEVEL_WORDS)  # fmt: skip


@operator.route("/settings/<key>", methods=["GET", "POST"])
@page("operator")
def setting(person: Person, key: str) -> str | Response:
    """Show one setting with what was said on it; say otherwise, or take it back."""
    story, form = setting_story(key), SettingForm()
    if carry_out(form, lambda: _say(story, form, person.name, business_clock().now())):
        flash(gettext("Kept. It holds for whatever is decided from now on."))
        return redirect(url_for("operator.setting", key=key))
    story = setting_story(key) if form.is_submitted() else story
    form.seen.data = str(story.seen)
    return render_template("marketplace/operator/setting.html", story=story, form=form, actor_said=actor_said,
                           level_words=LEVEL_WORDS)  # fmt: skip


def _say(story: Story, form: SettingForm, actor: str, at: datetime) -> bool:
    row, country, faults = story.shown.row, form.country.data, []
    if country and (len(country) != 2 or not is_region(country)):
        faults.append(Fault("country", "not_allowed_value", "Give the two letters of a country, such as FR."))
    value = _value(row, form.value.data, faults)
    if faults:
        raise Invalid("invalid_override", "The setting stays as it is.", faults)
    seen = int(form.seen.data) if (form.seen.data or "").isdecimal() and len(form.seen.data) < 9 else -1
    say(Word(row.key, country, value, seen, form.reason.data), REACHES, actor, at)
    return True


def _value(row: Default, text: str, faults: list[Fault]) -> Value | None:
    if not text:
        return None
    if isinstance(row.value, bool) and text.lower() in SWITCH:
        return SWITCH[text.lower()]
    if not isinstance(row.value, bool) and text.isascii() and text.isdigit() and len(text) < 15:
        return int(text)
    unit = "on or off" if isinstance(row.value, bool) else f"a whole number, in {row.unit}"
    faults.append(Fault("value", "wrong_type", f"Give {unit}."))
    return None
