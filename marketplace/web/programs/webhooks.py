"""An account's webhooks on pages: added, changed, disabled and deleted, with the log of what was sent and a replay."""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField

from core.actors import Person, page
from core.db import transaction
from core.errors import Conflict
from core.forms import carry_out
from core.http import business_clock, filter_of
from core.ids import parse_id, show_id
from core.notifications import (
    Webhook,
    add_webhook,
    change_webhook,
    delete_webhook,
    deliveries_of,
    get_webhook,
    make_test,
    replay,
    rotate_secret,
    secrets_of,
)
from core.words import gettext
from marketplace.news import NEWS
from marketplace.web.programs.keys import Ticks
from marketplace.web.programs.once import keep_for_next_page, take_once
from marketplace.web.programs.routes import programs
from marketplace.web.telling import tell
from marketplace.web.words import STATES

ROWS = 50
DELIVERY_STATES = ("waiting", "delivered", "failed", "dropped")


class WebhookForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Where news goes, and which; none ticked is all."""

    url = StringField()
    events = Ticks()


@programs.route("/webhooks/new", methods=["GET", "POST"])
@page()
def new_webhook(person: Person) -> str | Response:
    """Add a webhook; its secret is on the page that follows."""
    form = _form()
    made = carry_out(form, lambda: _added(person, form), _names(form))
    if made is None:
        return render_template("marketplace/programs/webhook_form.html", form=form, webhook="")
    keep_for_next_page(person, made[0], made[1])
    return redirect(url_for("programs.made_webhook", webhook=made[0]))


@programs.get("/webhooks/<webhook>/made")
@page()
def made_webhook(person: Person, webhook: str) -> str | Response:
    """Show a secret that was made just now; a second time there is only the webhook."""
    row, secret = _mine(person, webhook), take_once(person, webhook)
    if secret is None:
        return redirect(url_for("programs.webhook", webhook=webhook))
    return render_template("marketplace/programs/made.html", secret=secret, webhook=row)


@programs.get("/webhooks/<webhook>")
@page()
def webhook(person: Person, webhook: str) -> str:
    """Show a webhook and what was sent to it, the newest first."""
    state, cursor = filter_of("state", DELIVERY_STATES), request.args.get("cursor")
    row, after = _mine(person, webhook), parse_id("del", cursor) if cursor else None
    found = deliveries_of(row.id, state, after, ROWS + 1)
    return render_template(
        "marketplace/programs/webhook.html", row=row, webhook=webhook, rows=found[:ROWS], chosen=state,
        states=[(one, STATES[one].says) for one in DELIVERY_STATES],
        next_cursor=show_id("del", found[ROWS - 1].id) if len(found) > ROWS else None,
    )  # fmt: skip


@programs.route("/webhooks/<webhook>/change", methods=["GET", "POST"])
@page()
def edit_webhook(person: Person, webhook: str) -> str | Response:
    """Change where a webhook's news goes, and which."""
    row = _mine(person, webhook)
    form = _form(url=row.url, events=row.events or [])
    if carry_out(form, lambda: _changed(person, webhook, form), _names(form)) is None:
        return render_template("marketplace/programs/webhook_form.html", form=form, webhook=webhook)
    tell(gettext("The webhook is changed for all news from now on."))
    return redirect(url_for("programs.webhook", webhook=webhook))


@programs.post("/webhooks/<webhook>/<any(enable, disable, test):what>")
@page()
def set_webhook(person: Person, webhook: str, what: str) -> Response:
    """Enable or disable a webhook, or send it a test."""

    def work(row: Webhook) -> None:
        if what == "test":
            make_test(row, business_clock().now())
        else:
            change_webhook(row, None, None, what == "enable", business_clock().now())

    said = {"enable": gettext("The webhook is enabled; replay what it missed below."),
            "disable": gettext("The webhook is disabled; nothing is sent to it."),
            "test": gettext("A test is being sent; what comes of it stands below in a moment.")}  # fmt: skip
    return _pressed(person, webhook, work, said[what])


@programs.post("/webhooks/<webhook>/secret")
@page()
def new_secret(person: Person, webhook: str) -> Response:
    """Make a new secret; the one before signs beside it for a day, so a form that was sent before makes no second."""
    with transaction():
        row = _mine(person, webhook)
        is_seen = request.form.get("after", "") == str(row.old_secret_until or "")
        secret = _rotated(row) if is_seen else ""
    if not secret:
        tell("A new secret was made meanwhile and shown once. Make another if it was not copied.", is_wrong=True)
        return redirect(url_for("programs.webhook", webhook=webhook))
    keep_for_next_page(person, webhook, secret)
    return redirect(url_for("programs.made_webhook", webhook=webhook))


@programs.route("/webhooks/<webhook>/delete", methods=["GET", "POST"])
@page()
def end_webhook(person: Person, webhook: str) -> str | Response:
    """Delete a webhook, once more asked; what waits for it is dropped."""
    form, row = FlaskForm(), _mine(person, webhook)
    if carry_out(form, lambda: _deleted(person, webhook)) is None:
        return render_template("marketplace/programs/delete.html", form=form, row=row, webhook=webhook)
    tell(gettext("The webhook is deleted."))
    return redirect(url_for("programs.overview"))


@programs.post("/webhooks/<webhook>/deliveries/<delivery>/replay")
@page()
def replay_delivery(person: Person, webhook: str, delivery: str) -> Response:
    """Send a piece of news again, at once and with all its tries."""
    delivery_id = parse_id("del", delivery)
    said = gettext("It is being sent again; what comes of it stands below in a moment.")
    return _pressed(person, webhook, lambda row: replay(row, delivery_id, business_clock().now()), said)


def _pressed(person: Person, webhook: str, work: Callable[[Webhook], object], said: str) -> Response:
    """Do what a button asks of a webhook, and tell what was done or why nothing was."""
    try:
        with transaction():
            work(_mine(person, webhook))
        tell(said)
    except Conflict as refused:
        tell(refused.detail, is_wrong=True)
    return redirect(url_for("programs.webhook", webhook=webhook))


def _rotated(row: Webhook) -> str:
    rotate_secret(row)
    return secrets_of(row)[0]


def _mine(person: Person, webhook: str) -> Webhook:
    return get_webhook(person.account_id, parse_id("whk", webhook))


def _form(**filled: Any) -> WebhookForm:
    form = WebhookForm(data=filled)
    form.events.choices = [(one, one) for one in NEWS.all_events]
    return form


def _names(form: WebhookForm) -> dict[str, str]:
    """Return where the faults of single events stand."""
    return {f"events.{place}": "events" for place in range(len(form.events.data or ()))}


def _added(person: Person, form: WebhookForm) -> tuple[str, str]:
    row = add_webhook(person.account_id, form.url.data or "", form.events.data or None, None, business_clock().now())
    return show_id("whk", row.id), secrets_of(row)[0]


def _changed(person: Person, webhook: str, form: WebhookForm) -> bool:
    change_webhook(_mine(person, webhook), form.url.data or "", form.events.data or [], None, business_clock().now())
    return True


def _deleted(person: Person, webhook: str) -> bool:
    delete_webhook(_mine(person, webhook), business_clock().now())
    return True
