"""Automatic top-up: when the wallet charges a saved card and how much, what stands in its way, what became of it."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField

from billing import Choice, RechargeWish, Typed, choose_recharge, notes_of, recharge_of, resume_recharge
from core.actors import Person, page
from core.errors import Conflict, NotFound
from core.forms import carry_out
from core.http import business_clock
from core.i18n import money
from core.ids import parse_id, show_id
from core.money import Money
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.web.buyer.card_currency import asked_currency, named
from marketplace.web.buyer.routes import buyer
from marketplace.web.telling import tell

AT_FIELD = {f"{name}.{part}": name for name in ("threshold", "amount", "target", "daily_limit")
            for part in ("amount", "currency")} | {"on": "is_on"}  # fmt: skip
NEWEST = ""


class RechargeForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What is wanted; an empty amount goes by the wallet's pace."""

    is_on = BooleanField()
    threshold = StringField()
    size = RadioField(choices=[("target", _l("up to a target")), ("amount", _l("a fixed amount"))], default="target")
    target = StringField()
    amount = StringField()
    daily_limit = StringField()
    card = SelectField(validate_choice=False)
    version = HiddenField()


@buyer.route("/wallet/recharge", methods=["GET", "POST"])
@page("buyer")
def recharge(person: Person) -> str | Response:
    """Say when the wallet tops itself up and by how much."""
    at, currency = business_clock().now(), asked_currency()
    choice = recharge_of(person.account_id, currency, at) if request.method == "GET" else None
    form = RechargeForm(data=_said(choice) if choice else None)
    if carry_out(form, lambda: _chosen(person, currency, form), names=AT_FIELD):
        tell(gettext("Kept. It holds from now on."))
        return redirect(url_for("buyer.recharge", **named(currency)), 303)
    choice = choice or recharge_of(person.account_id, currency, at)
    form.card.choices = _choices(choice)
    return render_template("marketplace/buyer/recharge.html", form=form, choice=choice, sentence=sentence_of(choice),
                           notes=notes_of(person.account_id, currency), currency=currency, named=named(currency),
                           money_of=lambda minor: Money(minor, currency))  # fmt: skip


@buyer.post("/wallet/recharge/resume")
@page("buyer")
def resume(person: Person) -> Response:
    """Have a card that was declined be tried again."""
    at, currency = business_clock().now(), asked_currency()
    if carry_out(FlaskForm(), lambda: resume_recharge(person.account_id, currency, person.name, at)):
        tell(gettext("The card is tried once more."))
    return redirect(url_for("buyer.recharge", **named(currency)), 303)


def sentence_of(choice: Choice) -> str:
    """Say in one sentence what is going to happen, or why nothing is."""
    seen = choice.outlook
    told = {
        "off": gettext("Automatic top-up is off."),
        "in_flight": gettext("The card is being charged at this moment."),
        "suspended": gettext("The wallet is suspended, so no card is charged."),
        "charged_back": gettext("A payment was taken back through the bank, so no card is charged."),
        "no_card": gettext("No saved card is there to be charged."),
        "card_expired": gettext("The saved card has expired."),
        "too_many_tries": gettext("Cards were declined too often within a day, so none is tried for now."),
        "owes": gettext("Something is due, and the card was charged for it today: it is charged again tomorrow (UTC)."),
        "no_pace": gettext("Nothing was spent lately, so that there is no pace to go by: name a threshold."),
    }.get(seen.decision.code)
    if seen.decision.code == "paused":
        return _paused(choice)
    return told or _forecast(choice)


def _paused(choice: Choice) -> str:
    if choice.paused_why == "authentication":
        asked = money(Money(choice.asked_minor or 0, choice.currency))
        says = gettext("Paused until you pay %(amount)s on the payment page: the bank of the card asks.", amount=asked)
    else:
        says = gettext("Paused: the card was declined several times. Save another card, or resume.")
    return str(says)


def _forecast(choice: Choice) -> str:
    seen = choice.outlook
    card = seen.card.name if seen.card else gettext("no card")
    minors = (seen.next_minor, seen.threshold_minor, seen.standing.charged_today_minor, seen.terms.daily_most_minor)
    amount, below, charged, limit = (money(Money(minor, choice.currency)) for minor in minors)
    return str(gettext(
        "Will charge %(amount)s to %(card)s when less than %(below)s is left; today %(charged)s of %(limit)s.",
        amount=amount, card=card, below=below, charged=charged, limit=limit,
    ))  # fmt: skip


def _chosen(person: Person, currency: str, form: RechargeForm) -> Choice:
    is_fixed = form.size.data == "amount"
    amount = _typed(form.amount, currency, needed=True) if is_fixed else None
    target = None if is_fixed else _typed(form.target, currency)
    wish = RechargeWish(
        form.is_on.data, _typed(form.threshold, currency), amount, target, _typed(form.daily_limit, currency)
    )
    at, version = business_clock().now(), form.version.data or ""
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Conflict("version_changed", "Load the page anew and change it there.")
    return choose_recharge(person.account_id, currency, wish, _card_id(form), person.name, at, int(version))


def _typed(field: Any, currency: str, *, needed: bool = False) -> Typed | None:
    typed = (field.data or "").strip().replace(",", ".")
    return Typed(typed, currency) if typed or needed else None


def _card_id(form: RechargeForm) -> UUID | None:
    """Read the chosen card's id; one that cannot exist is nobody's, and told at its field as any other."""
    try:
        return parse_id("card", form.card.data) if form.card.data else None
    except NotFound:
        return UUID(int=0)


def _said(choice: Choice) -> dict[str, Any]:
    terms = choice.outlook.terms

    def shown(minor: int | None) -> str:
        return "" if minor is None else str(Money(minor, choice.currency))

    return {
        "is_on": terms.is_on, "threshold": shown(terms.threshold_minor), "amount": shown(terms.amount_minor),
        "target": shown(terms.target_minor), "daily_limit": shown(terms.daily_most_minor),
        "size": "amount" if terms.amount_minor is not None else "target", "version": str(choice.version),
        "card": show_id("card", choice.card_id) if choice.card_id else NEWEST,
    }  # fmt: skip


def _choices(choice: Choice) -> list[tuple[str, str]]:
    cards = [(show_id("card", card.id), card.name) for card in choice.outlook.cards]
    return [(NEWEST, gettext("the newest saved card")), *cards]
