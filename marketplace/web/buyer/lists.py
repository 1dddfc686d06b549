"""Lists and addresses: whom the buyer knows already, uploaded and deleted, and where leads may go by mail."""

from contextlib import closing
from datetime import UTC, date, datetime, time
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out, show_faults
from core.http import business_clock
from core.ids import parse_id, show_id
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.delivery.mail.addresses import addresses_of_account, ask, confirm
from marketplace.leads.desk import desk
from marketplace.leads.suppression import Upload, Use, delete_list, get_list, keys_on, lists_of, store_list
from marketplace.leads.suppression.keeping_away import count_kept_away
from marketplace.web.buyer.routes import buyer
from marketplace.web.telling import tell

ROWS = 50
NO_COUNTRY = "ZZ"  # numbers without a prefix are dialled nowhere


class ListForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """A file of people whom the buyer knows already."""

    name = StringField(validators=[InputRequired(_l("Name the list.")),
                                   Length(max=100, message=_l("Write at most 100 letters."))])  # fmt: skip
    country = StringField(
        validators=[Regexp(r"^([A-Z]{2})?\Z", message=_l("Write two capitals, such as FR, or nothing."))]
    )
    suppresses = BooleanField(default=True)
    valid_until = StringField()
    file = FileField(validators=[InputRequired(_l("Choose a file."))])

    def validate_name(self, field: Any) -> None:
        """Refuse what cannot be read."""
        if not (field.data.isprintable() and field.data.strip()):
            raise ValidationError(_l("Write printable letters."))


class AddressForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """The address that shall get a code."""

    address = StringField(validators=[Length(max=254, message=_l("Write at most 254 letters."))])


class CodeForm(AddressForm):
    """The code that came to an address."""

    code = StringField(validators=[InputRequired(_l("Write the code of the last mail to this address.")),
                                   Length(max=40, message=_l("A code is shorter."))])  # fmt: skip


@buyer.get("/lists")
@page("buyer")
def lists(person: Person) -> str:
    """Show the lists, the newest first, and the addresses with how each stands."""
    cursor = request.args.get("cursor")
    found = lists_of(person.account_id, parse_id("sup", cursor) if cursor else None, ROWS + 1)
    return render_template(
        "marketplace/buyer/lists.html", lists=found[:ROWS], addresses=addresses_of_account(person.account_id),
        next_cursor=show_id("sup", found[ROWS - 1].id) if len(found) > ROWS else None,
    )  # fmt: skip


@buyer.route("/lists/new", methods=["GET", "POST"])
@page("buyer")
def new_list(person: Person) -> str | Response:
    """Upload a list; nothing of it is kept but keyed hashes. The file is read before the transaction."""
    form = ListForm()
    with closing(Upload(_format(form), form.country.data or NO_COUNTRY, desk().intake.key_of_hash)) as upload:
        made = carry_out(form, lambda: _stored(person, form, upload)) if _is_read(form, upload) else None
    if made is None:
        return render_template("marketplace/buyer/list_form.html", form=form)
    tell(gettext("The list is kept; from now on it proves whom you knew."))
    return redirect(url_for("buyer.one_list", wanted=made))


@buyer.get("/lists/<wanted>")
@page("buyer")
def one_list(person: Person, wanted: str) -> str:
    """Show what was found in a list, with the lines that say nobody."""
    row = get_list(person.account_id, parse_id("sup", wanted))
    kept_away = count_kept_away(row) if row.suppresses else None
    return render_template("marketplace/buyer/list.html", row=row, wanted=wanted, kept_away=kept_away)


@buyer.get("/lists/<wanted>/keys")
@page("buyer")
def saved_list(person: Person, wanted: str) -> Response:
    """Save a list as it is kept, as keyed hashes that can be uploaded again; nobody can read a person from them."""
    row = get_list(person.account_id, parse_id("sup", wanted))
    text = "".join(["key\r\n", *(f"{key.hex()}\r\n" for key in keys_on(row))])
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=list.csv"})


@buyer.route("/lists/<wanted>/delete", methods=["GET", "POST"])
@page("buyer")
def end_list(person: Person, wanted: str) -> str | Response:
    """Delete a list with its entries, once more asked; from then on it proves nothing."""
    form, list_id = FlaskForm(), parse_id("sup", wanted)
    row = get_list(person.account_id, list_id)
    if carry_out(form, lambda: delete_list(person.account_id, list_id, business_clock().now())) is None:
        return render_template("marketplace/buyer/list_delete.html", form=form, row=row)
    tell(gettext("The list is deleted with all of its entries."))
    return redirect(url_for("buyer.lists"))


@buyer.route("/addresses/new", methods=["GET", "POST"])
@page("buyer")
def new_address(person: Person) -> str | Response:
    """Send a code to an address, a new one after a minute."""
    form = AddressForm(data={"address": request.args.get("address", "")})
    address = carry_out(form, lambda: ask(person.account_id, (form.address.data or "").strip()).address)
    if address is None:
        return render_template("marketplace/buyer/address.html", form=form, is_code=False)
    tell(gettext("A code is on its way to %(address)s; it is good for a day.", address=address))
    return redirect(url_for("buyer.confirm_address", address=address))


@buyer.route("/addresses/confirm", methods=["GET", "POST"])
@page("buyer")
def confirm_address(person: Person) -> str | Response:
    """Take the code back: leads may go to the address from now on."""
    form = CodeForm(data={"address": request.args.get("address", "")})
    address = carry_out(form, lambda: _confirmed(person, form))
    if address is None:
        return render_template("marketplace/buyer/address.html", form=form, is_code=True)
    tell(gettext("Leads may go to %(address)s from now on.", address=address))
    return redirect(url_for("buyer.lists"))


def _format(form: ListForm) -> Any:
    name = (form.file.data.filename or "").lower() if form.file.data else ""
    return "csv" if name.endswith(".csv") else "ndjson" if name.endswith((".ndjson", ".jsonl")) else "text"


def _is_read(form: ListForm, upload: Upload) -> bool:
    """Read the file of a form that is right so far to its end; what it cannot be is said at the field."""
    if not form.validate_on_submit():
        return False
    try:
        upload.read(form.file.data.stream)
    except Invalid as refused:
        show_faults(form, refused, {"$": "file"})
        return False
    return True


def _stored(person: Person, form: ListForm, upload: Upload) -> str:
    use = Use(form.suppresses.data, None, _end_of(form.valid_until.data or ""))
    row = store_list(person.account_id, form.name.data.strip(), upload, person.name, business_clock().now(), use)
    return show_id("sup", row.id)


def _end_of(text: str) -> datetime | None:
    """Return the end of a day in UTC, None for no day."""
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time.max, UTC) if text.strip() else None
    except ValueError:
        fault = Fault("valid_until", "not_a_date", "Send a date such as 2026-01-31.")
        raise Invalid("invalid_list", "The list cannot be kept.", [fault]) from None


def _confirmed(person: Person, form: CodeForm) -> str:
    return confirm(person.account_id, (form.address.data or "").strip(), form.code.data or "").address
