"""Saved cards: which there are, saving another one on the card processor's page, removing one."""

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from billing import cards_of, latest_card_page, remove_card, start_card_page
from core.actors import Person, page
from core.errors import Conflict, TooMany
from core.forms import carry_out, show_faults
from core.http import business_clock
from core.ids import parse_id
from core.words import gettext
from marketplace.web.buyer.routes import buyer
from marketplace.web.card_ways import ways_to_cards
from marketplace.web.chrome import CURRENCY
from marketplace.web.telling import tell


@buyer.get("/wallet/cards")
@page("buyer")
def cards(person: Person) -> str:
    """Show the saved cards, the newest first, the way on to saving one, and that one is being confirmed."""
    latest = latest_card_page(person.account_id) if {"saved", "go"} & set(request.args) else None
    is_open = latest is not None and latest.state == "open"
    return render_template(
        "marketplace/buyer/cards.html", cards=cards_of(person.account_id), waits=is_open and "saved" in request.args,
        address=latest.page_url if latest and is_open and "saved" not in request.args else None,
    )  # fmt: skip


@buyer.post("/wallet/cards/new")
@page("buyer")
def new_card(person: Person) -> Response:
    """Open the page on which a card is saved; nothing is charged there, and a link leads on to it."""
    is_open = FlaskForm().validate_on_submit() and _opened(person)
    return redirect(url_for("buyer.cards", go=1) if is_open else url_for("buyer.cards"), 303)


@buyer.route("/wallet/cards/<card>/remove", methods=["GET", "POST"])
@page("buyer")
def end_card(person: Person, card: str) -> str | Response:
    """Remove a card, once more asked; it is never charged again."""
    form, card_id = FlaskForm(), parse_id("card", card)
    at = business_clock().now()
    if carry_out(form, lambda: remove_card(person.account_id, card_id, person.name, at)):
        tell(gettext("The card is removed. It is never charged again."))
        return redirect(url_for("buyer.cards"), 303)
    row = next((one for one in cards_of(person.account_id) if one.id == card_id), None)
    return render_template("marketplace/buyer/card_remove.html", form=form, row=row) if row else redirect(
        url_for("buyer.cards"))  # fmt: skip


def _opened(person: Person) -> bool:
    """Open the page, outside of any transaction; false, and the reason told, when that is refused."""
    try:
        ways, at = ways_to_cards(), business_clock().now()
        start_card_page(person.account_id, CURRENCY, ways, person.name, at)
    except (Conflict, TooMany) as refused:
        form = FlaskForm()
        show_faults(form, refused)
        tell(form)
        return False
    return True
