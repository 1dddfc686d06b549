"""An account's keys on pages: listed, made with their secret shown once, and revoked after a question."""

from datetime import UTC, datetime
from typing import Any

from flask import redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from core.actors import Person, page
from core.db import transaction
from core.errors import NotFound
from core.forms import carry_out
from core.http import business_clock
from core.identity import SCOPES_OF, get_account, keys_of, make_key, revoke_key
from core.ids import parse_id
from core.notifications import has_digest, set_digest, webhooks_of
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.web.programs.once import keep_for_next_page, take_once
from marketplace.web.programs.routes import programs
from marketplace.web.telling import tell

A_KEY = "key"
MOST_REVOKED = 20  # of the keys that do nothing any more


class Ticks(SelectMultipleField):  # type: ignore[misc]  # it ships no types
    """Several of a few words, each with a box to tick; the domain judges them."""

    widget, option_widget = ListWidget(prefix_label=False), CheckboxInput()

    def __init__(self, **given: Any) -> None:
        super().__init__(validate_choice=False, **given)


class KeyForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What a new key is called and may do."""

    name = StringField(validators=[InputRequired(_l("Name the key after the program that uses it.")),
                                   Length(max=100, message=_l("Write at most 100 letters."))])  # fmt: skip
    scopes = Ticks()

    def validate_name(self, field: Any) -> None:
        """Refuse what cannot be read."""
        if not field.data.isprintable():
            raise ValidationError(_l("Write printable letters."))


class MailForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Whether everybody of the account gets its news in a mail a day."""

    daily_mail = BooleanField()


@programs.get("")
@page()
def overview(person: Person) -> str:
    """List the keys, the webhooks, and whether there is a daily mail."""
    keys = keys_of(person.account_id)
    good, revoked = [one for one in keys if not one.revoked_at], [one for one in keys if one.revoked_at]
    return render_template(
        "marketplace/programs/overview.html", keys=[*good, *revoked[:MOST_REVOKED]], left_out=revoked[MOST_REVOKED:],
        webhooks=webhooks_of(person.account_id), has_mail=has_digest(person.account_id), form=MailForm(),
    )  # fmt: skip


@programs.route("/keys/new", methods=["GET", "POST"])
@page()
def new_key(person: Person) -> str | Response:
    """Make a key that may do all that the account may, or less."""
    scopes = sorted(SCOPES_OF[person.kind])
    form = KeyForm(data={"scopes": scopes})
    form.scopes.choices = [(one, one) for one in scopes]
    secret = carry_out(form, lambda: _made(person, form))
    if secret is None:
        return render_template("marketplace/programs/key.html", form=form)
    keep_for_next_page(person, A_KEY, secret)
    return redirect(url_for("programs.made_key"))


@programs.get("/keys/made")
@page()
def made_key(person: Person) -> str | Response:
    """Show a key that was made just now; a second time there is only the list."""
    secret = take_once(person, A_KEY)
    if secret is None:
        tell(gettext("A key is shown once. If it was not copied, revoke it and make another."))
        return redirect(url_for("programs.overview"))
    return render_template("marketplace/programs/made.html", secret=secret, webhook=None)


@programs.route("/keys/<key>/revoke", methods=["GET", "POST"])
@page()
def end_key(person: Person, key: str) -> str | Response:
    """Revoke a key, once more asked, for every request that begins after the answer."""
    form, key_id = FlaskForm(), parse_id("key", key)
    row = next((one for one in keys_of(person.account_id) if one.id == key_id), None)
    if row is None:
        raise NotFound(detail="There is no key with this id.")
    if carry_out(form, lambda: revoke_key(person.account_id, key_id, datetime.now(UTC))) is None:
        return render_template("marketplace/programs/revoke.html", form=form, row=row)
    tell(gettext("The key is revoked; requests that bring it are refused from now on."))
    return redirect(url_for("programs.overview"))


@programs.post("/mail")
@page()
def daily_mail(person: Person) -> Response:
    """Begin or stop the daily mail to everybody of the account."""
    wanted = bool(MailForm().daily_mail.data)
    with transaction():
        set_digest(person.account_id, wanted, business_clock().now())
    tell(gettext("A mail with the news of each day is sent from now on.") if wanted
         else gettext("No daily mail is sent any more."))  # fmt: skip
    return redirect(url_for("programs.overview"))


def _made(person: Person, form: KeyForm) -> str:
    return make_key(get_account(person.account_id), form.name.data, datetime.now(UTC), form.scopes.data)[1]
