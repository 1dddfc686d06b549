"""The publisher's payouts: where they go, the next one, those before, and every step of one."""

from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from affiliates import SENTENCES, next_payout_of
from billing import (
    RailWish,
    ToPay,
    find_rail,
    get_payout,
    look_at_rail,
    onboarding_address,
    payout_events_of,
    payouts_of,
)
from core.actors import Person, page
from core.forms import carry_out
from core.http import business_clock, settings
from core.ids import parse_id, show_id
from core.pages import page_time
from core.words import gettext
from marketplace.payout_acts import ask, choose_rail, masked
from marketplace.reports.payouts import expected_on
from marketplace.web.chrome import CURRENCY, earned_here
from marketplace.web.payout_words import RAIL_STATES, RAILS, SCHEDULES, payout_state, why_word
from marketplace.web.publisher.routes import publisher
from marketplace.web.telling import tell

ROWS = 50


class RailForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Where somebody wants to be paid."""

    kind = SelectField()
    holder = StringField()
    country = StringField()
    destination = StringField()
    bic = StringField()


@publisher.get("/payouts")
@page("publisher")
def payouts(person: Person) -> str:
    """Show where payouts go, the next one, and those before with the days on which there was none."""
    cursor = request.args.get("cursor")
    rows = payouts_of(person.account_id, ROWS + 1, parse_id("pay", cursor) if cursor else None)
    more = show_id("pay", rows[ROWS - 1].payout.id) if len(rows) > ROWS else None
    earned = earned_here(person)
    has = ToPay(person.account_id, earned.payable, earned.owed)
    return render_template(
        "marketplace/publisher/payouts.html", rows=rows[:ROWS], more=more,
        next=next_payout_of(has, page_time()), expected_on=expected_on, masked=masked,
        payout_state=payout_state, why_word=why_word, rails=RAILS, rail_states=RAIL_STATES, schedules=SCHEDULES,
    )  # fmt: skip


@publisher.route("/payouts/place", methods=["GET", "POST"])
@page("publisher")
def payout_place(person: Person) -> str | Response:
    """Say where payouts go."""
    form = RailForm()
    form.kind.choices = [(kind, word) for kind, word in RAILS.items() if kind != "connect" or settings().takes_cards]
    kind = carry_out(form, lambda: _choose(person, form, business_clock().now()))
    if kind == "connect":
        return redirect(url_for("publisher.payout_onboarding"), 303)
    if kind:
        flash(gettext("Payouts go there from now on. Everybody of this account was told."))
        return redirect(url_for("publisher.payouts"), 303)
    return render_template("marketplace/publisher/payout_place.html", form=form, rail=find_rail(person.account_id))


@publisher.get("/payouts/onboarding")
@page("publisher")
def payout_onboarding(person: Person) -> str:
    """Give the address at which the payment processor asks who the publisher is."""
    base = settings().address
    back, again = base + url_for("publisher.payouts_back"), base + url_for("publisher.payout_onboarding")
    address = onboarding_address(person.account_id, back, again)
    return render_template("marketplace/publisher/payout_onboarding.html", address=address)


@publisher.get("/payouts/back")
@page("publisher")
def payouts_back(person: Person) -> Response:
    """Come back from the payment processor, which is asked what it knows now."""
    look_at_rail(person.account_id, business_clock().now())
    return redirect(url_for("publisher.payouts"), 303)


@publisher.post("/payouts/request")
@page("publisher")
def request_payout(person: Person) -> Response:
    """Ask for all that is payable now."""
    form = FlaskForm()
    at = business_clock().now()
    asked = carry_out(form, lambda: show_id("pay", ask(person.account_id, CURRENCY, person.name, at).id))
    tell(gettext("Your payout is drafted.") if asked else form)
    return redirect(url_for("publisher.payout", payout=asked) if asked else url_for("publisher.payouts"), 303)


@publisher.get("/payouts/<payout>")
@page("publisher")
def payout(person: Person, payout: str) -> str:
    """Show one payout with each of its steps."""
    payout_id: UUID = parse_id("pay", payout)
    return render_template(
        "marketplace/publisher/payout.html", row=get_payout(payout_id, person.account_id), shown=payout,
        events=payout_events_of(payout_id), expected_on=expected_on, masked=masked, payout_state=payout_state,
        why_word=why_word, sentences=SENTENCES, rails=RAILS,
    )  # fmt: skip


def _choose(person: Person, form: RailForm, at: datetime) -> str:
    words = (form.kind.data or "", form.holder.data or "", form.country.data or "", form.destination.data or "")
    return choose_rail(person.account_id, RailWish(*words, form.bic.data or ""), person.name, at).kind
