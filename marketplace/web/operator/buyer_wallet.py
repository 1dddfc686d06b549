"""What an operator does to a buyer's wallet: suspends and readmits it, gives promotional credit or agrees to it."""

from datetime import datetime
from uuid import UUID, uuid4

from flask import abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from billing import PromoGrant, ask_promo, decide_promo, grants_of, grants_waiting, wallet_of
from core.actors import Person, page
from core.db import transaction
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.identity import get_account
from core.ids import parse_id
from core.money import Money
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.reports.dispute_queue import names_of
from marketplace.wallet_standing import set_wallet_standing
from marketplace.web.chrome import CURRENCY
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.words import Word

AT_FIELD = {"amount.amount": "amount", "amount.currency": "amount"}
STATES = {
    "waiting": Word("held", _l("Waits for a second operator")), "granted": Word("won", _l("Given")),
    "refused": Word("refused", _l("Refused")),
}  # fmt: skip


class StandingForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How the wallet stands from now on, and why."""

    standing = HiddenField()
    note = StringField(validators=[DataRequired(_l("Say why: the buyer reads it.")),
                                   Length(max=1000, message=_l("Write at most 1000 characters."))])  # fmt: skip


class PromoForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How much is given, and why; its key makes a double click one grant."""

    amount = StringField()
    reason = StringField()
    key = HiddenField()


@operator.route("/buyers/<buyer>/wallet", methods=["GET", "POST"])
@page("operator")
def buyer_wallet(person: Person, buyer: str) -> str | Response:
    """Show a buyer's wallet; suspend or readmit it."""
    buyer_id, form = parse_id("acc", buyer), StandingForm()
    get_account(buyer_id, "buyer")
    if carry_out(form, lambda: _stand(buyer_id, form, person.name, business_clock().now())):
        flash(gettext("The wallet was changed. Its buyer was told."))
        return redirect(url_for("operator.buyer_wallet", buyer=buyer), 303)
    return _shown(buyer, buyer_id, form, PromoForm(formdata=None))


@operator.post("/buyers/<buyer>/promo")
@page("operator")
def give_promo(person: Person, buyer: str) -> str | Response:
    """Give promotional credit, or ask a second operator for it."""
    buyer_id, form = parse_id("acc", buyer), PromoForm()
    get_account(buyer_id, "buyer")
    state = carry_out(form, lambda: _ask(buyer_id, form, person.name, business_clock().now()), AT_FIELD)
    if state is None:
        return _shown(buyer, buyer_id, StandingForm(formdata=None), form)
    waits = gettext("Another operator must agree: it stands among the credits that wait.")
    flash(waits if state == "waiting" else gettext("The credit is in the wallet."))
    return redirect(url_for("operator.buyer_wallet", buyer=buyer), 303)


@operator.get("/credits")
@page("operator")
def waiting_promo(_: Person) -> str:
    """Show the promotional credit that waits for a second operator."""
    rows = grants_waiting()
    return render_template("marketplace/operator/credits.html", rows=rows, actor_said=actor_said,
                           names=names_of([row.account_id for row in rows]))  # fmt: skip


@operator.post("/credits/<grant>/<verdict>")
@page("operator")
def decide_waiting(person: Person, grant: str, verdict: str) -> Response:
    """Agree to a credit that another operator asked for, or refuse it."""
    if verdict not in ("agree", "refuse"):
        abort(404)
    with transaction():
        decided = decide_promo(parse_id("prm", grant), agrees=verdict == "agree", actor=person.name,
                               at=business_clock().now())  # fmt: skip
        is_given = decided.state == "granted"
    flash(gettext("The credit is in the wallet.") if is_given else gettext("The credit was refused."))
    return redirect(url_for("operator.waiting_promo"), 303)


def _stand(buyer_id: UUID, form: StandingForm, actor: str, at: datetime) -> bool:
    set_wallet_standing(buyer_id, CURRENCY, form.standing.data or "", form.note.data, actor, at)
    return True


def _ask(buyer_id: UUID, form: PromoForm, actor: str, at: datetime) -> str:
    try:
        money = Money.parse((form.amount.data or "").strip().replace(",", "."), CURRENCY)
    except ValueError:
        fault = Fault("amount.amount", "bad_amount", "Write an amount such as 100 or 100.50.")
        raise Invalid("invalid_promo", "This credit cannot be given.", [fault]) from None
    return ask_promo(buyer_id, money, f"page:{form.key.data}", form.reason.data or "", actor, at).state


def _shown(buyer: str, buyer_id: UUID, form: StandingForm, promo: PromoForm) -> str:
    promo.key.data = promo.key.data or uuid4().hex
    grants: list[PromoGrant] = grants_of(buyer_id, CURRENCY)
    return render_template(
        "marketplace/operator/buyer_wallet.html", form=form, promo=promo, shown=buyer, currency=CURRENCY,
        balance=wallet_of(buyer_id, CURRENCY), grants=grants, name=get_account(buyer_id).name, states=STATES,
        actor_said=actor_said,
    )  # fmt: skip
