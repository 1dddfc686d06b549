"""What one publisher owes, since when, and giving it up when it is old: one operator asks, another agrees."""

from datetime import datetime
from uuid import UUID

from flask import abort, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField

from billing import owed_by, write_offs_of
from core.actors import Person, page
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.money import is_currency
from core.overrides import overrides
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.reports.dispute_queue import names_of
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.telling import tell
from marketplace.web.words import Word
from marketplace.write_offs import ask, decide

STATES = {
    "waiting": Word("held", _l("Waits for a second person")),
    "booked": Word("neutral", _l("Written off")),
    "refused": Word("refused", _l("Refused")),
}


class WhyForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Why a debt is given up."""

    reason = StringField()


@operator.route("/owed/<publisher>/<currency>", methods=["GET", "POST"])
@page("operator")
def owed(person: Person, publisher: str, currency: str) -> str | Response:
    """Show what one publisher owes and what was given up of it; ask that it is."""
    form, publisher_id = WhyForm(), _publisher(publisher, currency)
    if carry_out(form, lambda: bool(ask(publisher_id, currency, form.reason.data or "", person.name, _now()))):
        tell(gettext("Another operator has to agree."))
        return redirect(url_for("operator.owed", publisher=publisher, currency=currency), 303)
    return render_template(
        "marketplace/operator/owed.html", owed=owed_by(publisher_id, currency, page_time()), form=form, shown=publisher,
        rows=write_offs_of(publisher_id, currency), name=names_of([publisher_id])[publisher_id], states=STATES,
        currency=currency, days=overrides().setting("debt.receivable_after_days"), actor_said=actor_said,
    )  # fmt: skip


@operator.post("/owed/<publisher>/<currency>/<wish>/<verdict>")
@page("operator")
def decide_owed(person: Person, publisher: str, currency: str, wish: str, verdict: str) -> Response:
    """Agree that a debt is given up, or refuse."""
    if verdict not in ("agree", "refuse"):
        abort(404)
    form, wish_id = FlaskForm(), parse_id("wof", wish)
    done = carry_out(form, lambda: bool(decide(wish_id, agrees=verdict == "agree", actor=person.name, at=_now())))
    tell(gettext("Done.") if done else form)
    return redirect(url_for("operator.owed", publisher=publisher, currency=currency), 303)


def _publisher(publisher: str, currency: str) -> UUID:
    if not is_currency(currency):
        abort(404)
    publisher_id = parse_id("acc", publisher)
    return publisher_id if publisher_id in names_of([publisher_id]) else abort(404)


def _now() -> datetime:
    return business_clock().now()
