"""A publisher's terms for operators: how they came about, and saying tier, pin and the account's own terms anew."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from affiliates import OWN_FIELDS, REASON_LENGTH, SWITCHES, Own, TermsVersion, Wish
from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.identity import get_account
from core.ids import parse_id
from core.money import Money
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.reports.publisher_terms import terms_story
from marketplace.terms.granting import set_terms
from marketplace.web import terms_words
from marketplace.web.chrome import CURRENCY
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.terms_words import SCHEDULE_WORDS, TIERS

AS_THE_TIER = ("", _l("as the tier"))
MOST_DIGITS = 9


def _trimmed(text: str | None) -> str:
    return (text or "").strip()


def _switch() -> SelectField:
    return SelectField(choices=[AS_THE_TIER, ("1", _l("yes")), ("0", _l("no"))], default="")


def _typed() -> StringField:
    return StringField(filters=[_trimmed])


class TermsForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Terms as an operator wants them; what is left empty is the tier's."""

    tier = SelectField(choices=list(TIERS.items()))
    is_pinned = BooleanField()
    share_bp = _typed()
    extra_hold_days = _typed()
    reserve_bp = _typed()
    reserve_days = _typed()
    payouts_a_month = SelectField(
        choices=[AS_THE_TIER, *((str(code), word) for code, word in SCHEDULE_WORDS.items())], default=""
    )
    on_request = _switch()
    threshold_minor = _typed()
    threshold_other_minor = _typed()
    first_payout_reviewed = _switch()
    first_payout_most_minor = _typed()
    reason = StringField(
        filters=[_trimmed],
        validators=[
            DataRequired(_l("Say why: the publisher reads it.")),
            Length(max=REASON_LENGTH, message=_l("Write at most 400 characters.")),
        ],
    )
    seen = HiddenField()


@operator.route("/publishers/<publisher>/terms", methods=["GET", "POST"])
@page("operator")
def publisher_terms(person: Person, publisher: str) -> str | Response:
    """Show a publisher's terms; say them anew."""
    form, publisher_id = TermsForm(), parse_id("acc", publisher)
    name = get_account(publisher_id, "publisher").name
    if said := carry_out(form, lambda: _set(publisher_id, form, person.name, business_clock().now())):
        flash(said)
        return redirect(url_for("operator.publisher_terms", publisher=publisher), 303)
    story = terms_story(publisher_id, page_time())
    if not form.is_submitted():
        _fill(form, story.now)
    form.seen.data = str(story.now.version)
    return render_template("marketplace/operator/publisher_terms.html", story=story, form=form, shown=publisher,
                           name=name, words=terms_words, currency=CURRENCY, actor_said=actor_said)  # fmt: skip


def _set(publisher_id: UUID, form: TermsForm, actor: str, at: datetime) -> str:
    seen = form.seen.data or ""
    version = int(seen) if seen.isdecimal() and len(seen) <= MOST_DIGITS else 0
    wish = Wish(form.tier.data, form.is_pinned.data, _own(form), form.reason.data, version)
    is_new = set_terms(publisher_id, wish, actor, at) is not None
    kept = gettext("Kept. They hold for what is sold from now on. The publisher is told.")
    return str(kept if is_new else gettext("Nothing changed: these terms held already."))


def _own(form: TermsForm) -> Own:
    """Read what is said for the account; Invalid with every field that cannot be read."""
    own, faults = {}, []
    for field in OWN_FIELDS:
        typed = form[field].data or ""
        if typed:
            try:
                own[field] = _read(field, typed)
            except (ValueError, InvalidOperation):
                faults.append(Fault(field, "wrong_type", _ADVICE[field.rpartition("_")[2]]))
    if faults:
        raise Invalid("invalid_terms", "The terms stay as they are.", faults)
    return own


_ADVICE = {
    "bp": "Write a percentage such as 75 or 72.5.", "minor": "Write an amount such as 100 or 100.50.",
    "days": "Write a whole number of days.",
}  # fmt: skip


def _read(field: str, typed: str) -> int:
    plain = typed.replace(",", ".")
    if field in SWITCHES:
        return typed == "1"
    if field.endswith("_minor"):
        return Money.parse(plain, CURRENCY).minor
    if field.endswith("_bp"):
        points = Decimal(plain.removesuffix("%").strip()) * 100
        if len(plain) > MOST_DIGITS or points != points.to_integral_value():
            raise ValueError
        return int(points)
    if not (typed.isascii() and typed.isdigit()) or len(typed) > MOST_DIGITS:
        raise ValueError
    return int(typed)


def _fill(form: TermsForm, now: TermsVersion) -> None:
    form.tier.data, form.is_pinned.data = now.tier, now.is_pinned
    for field, value in now.own.items():
        form[field].data = _typed_as(field, value)


def _typed_as(field: str, value: int) -> str:
    if field.endswith("_bp"):
        return f"{value / 100:g}"
    return str(Money(value, CURRENCY)) if field.endswith("_minor") else str(int(value))
