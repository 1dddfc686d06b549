"""The operator's suspense: every amount that is nobody's, how old it is and why, and what is done about it."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from billing import Suspended, get_suspended, line_of, moves_of, open_moves, shown_reference, suggestions_for, suspended
from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id, show_id
from core.words import gettext
from marketplace.bank_moves import confirm, do_with_suspense, settle, wish_of, withdraw
from marketplace.web.operator.bank_words import KINDS, MOVES, amount_said, why_said
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.telling import tell

ROWS = 50


class MoveForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What is done about a part of an amount, and why."""

    kind = SelectField()
    amount = StringField()
    account = StringField()
    reason = StringField()


class EndForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How what waits is ended."""

    verb = StringField()
    against = StringField()
    reason = StringField()


@operator.get("/suspense")
@page("operator")
def suspense(_: Person) -> str:
    """List what is left in suspense, the oldest first, and what waits for a person or to be sent back."""
    cursor = request.args.get("cursor")
    found = suspended(parse_id("txn", cursor) if cursor else None, ROWS + 1)
    return render_template(
        "marketplace/operator/suspense.html", items=found[:ROWS], moves=open_moves(), kinds=KINDS, states=MOVES,
        next=show_id("txn", found[ROWS - 1].id) if len(found) > ROWS else None, why_said=why_said,
        actor_said=actor_said, amount_said=amount_said,
    )  # fmt: skip


@operator.route("/suspense/<item>", methods=["GET", "POST"])
@page("operator")
def suspense_item(person: Person, item: str) -> str | Response:
    """Show one amount with what the bank said of it; do something about a part of it."""
    item_id = parse_id("txn", item)
    found = get_suspended(item_id)
    form = _form(found)
    moved = carry_out(form, lambda: _move(person, item_id, form))
    if moved:
        flash(gettext("Done.") if moved != "proposed" else gettext("Proposed: a second person has to confirm it."))
        return redirect(url_for("operator.suspense_item", item=item), 303)
    found, line = get_suspended(item_id), line_of(found)
    return render_template(
        "marketplace/operator/suspense_item.html", item=found, line=line, form=form, moves=moves_of(item_id),
        suggestions=suggestions_for(line) if line else [], kinds=KINDS, states=MOVES, why_said=why_said, shown=item,
        amount_said=amount_said, shown_reference=shown_reference, actor_said=actor_said,
    )  # fmt: skip


@operator.post("/suspense/moves/<move>")
@page("operator")
def end_move(person: Person, move: str) -> Response:
    """Confirm, withdraw or settle what waits."""
    form, move_id = EndForm(), parse_id("mov", move)
    item = carry_out(form, lambda: _end(person, move_id, form))
    tell(gettext("Done.") if item else form)
    return redirect(url_for("operator.suspense_item", item=item) if item else url_for("operator.suspense"), 303)


def _form(item: Suspended) -> MoveForm:
    """Offer what can be done about money that came in, or that went out."""
    form, other = MoveForm(), ("charge",) if item.is_credit else ("assign", "return")
    form.kind.choices = [(kind, word) for kind, word in KINDS.items() if kind not in other]
    return form


def _move(person: Person, item_id: UUID, form: MoveForm) -> str:
    words = (form.kind.data, form.amount.data or "", form.account.data or "", form.reason.data or "")
    return do_with_suspense(wish_of(item_id, *words), person.name, business_clock().now()).state


def _end(person: Person, move_id: UUID, form: EndForm) -> str:
    why, at, verb = (form.reason.data or "").strip(), business_clock().now(), form.verb.data
    if verb == "confirm":
        move = confirm(move_id, person.name, at)
    elif verb == "withdraw":
        move = withdraw(move_id, why, person.name, at)
    elif verb == "settle":
        against = parse_id("txn", form.against.data.strip()) if (form.against.data or "").strip() else None
        move = settle(move_id, against, why, person.name, at)
    else:
        fault = Fault("verb", "not_allowed_value", "Choose confirm, withdraw or settle.")
        raise Invalid("invalid_suspense_move", "Nothing was moved.", [fault])
    return show_id("txn", move.transaction_id)
