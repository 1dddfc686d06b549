"""The search: one page for every kind of account, which the dialog of Ctrl-K reads too."""

from typing import Any

from flask import Blueprint, render_template, request, url_for

from core.actors import Person, page
from core.ids import show_id
from core.words import lazy_gettext as _l
from marketplace.leads.addresses import read_email, read_phone
from marketplace.leads.desk import desk
from marketplace.leads.persons import hash_of
from marketplace.reports.search import Found, found_by

finding = Blueprint("finding", __name__)

LONGEST_NUMBER = 40

KINDS = {
    "lead": _l("Lead"),
    "sale": _l("Lead bought"),
    "order": _l("Order"),
    "dispute": _l("Dispute"),
    "source": _l("Source"),
    "sub": _l("Leads of the sub id"),
    "publisher": _l("Publisher"),
    "buyer": _l("Buyer"),
}
HINTS = {
    "publisher": _l("The id of a lead, a sale or a dispute, with its prefix or without; a whole sub id;"
                    " or part of a source's name."),
    "buyer": _l("The id of an order, a bought lead or a dispute, with its prefix or without; or part of an"
                " order's name."),
    "operator": _l("Any id, with its prefix or without; the beginning of an account's name; or a whole phone number or"
                   " address: people who were sold or are pending are known by their hashes alone."),
}  # fmt: skip
PREFIXES = {"lead": "lead", "sale": "sale", "order": "ord", "dispute": "dsp", "source": "src",
            "publisher": "acc", "buyer": "acc"}  # fmt: skip
# Where each kind of thing is read by each kind of account: the endpoint, and the name of the id in its address.
PLACES = {
    ("publisher", "lead"): ("publisher.lead", "lead"),
    ("publisher", "dispute"): ("publisher.dispute", "dispute"),
    ("publisher", "source"): ("publisher.source_specification", "source"),
    ("buyer", "sale"): ("buyer.lead", "sale"),
    ("buyer", "order"): ("buyer.order", "order"),
    ("operator", "dispute"): ("operator.dispute", "dispute"),
    ("operator", "publisher"): ("operator.publisher", "publisher"),
    ("operator", "buyer"): ("operator.buyer", "buyer"),
    # An operator reads these where their owner is read.
    ("operator", "lead"): ("operator.publisher", "publisher"),
    ("operator", "sale"): ("operator.buyer", "buyer"),
    ("operator", "order"): ("operator.buyer", "buyer"),
}


@finding.route("/search", methods=["GET", "POST"])
@page()
def search(person: Person) -> str:
    """Find one's own things by id or name; operators also whose lead it is, by a whole phone number or address.

    Those are only looked for when they are posted: an address of a page is kept in logs, and a person's must not be.
    """
    wanted = request.values.get("q", "").strip()
    keys = _keys(wanted) if request.method == "POST" else ()
    found = [_shown(person, one) for one in found_by(person.kind, person.account_id, wanted, keys)]
    return render_template("marketplace/search.html", wanted=wanted, found=[one for one in found if one],
                           hint=HINTS[person.kind])  # fmt: skip


def _keys(text: str) -> tuple[bytes, ...]:
    """Return the key of the person whose whole address or number this is."""
    intake = desk().intake
    if (email := read_email(text)) is not None:
        return (intake.key_of_hash("email", hash_of(email.key)),)
    phone = read_phone(text, "ZZ") if text.startswith("+") and len(text) <= LONGEST_NUMBER else None
    return (intake.key_of_hash("phone", hash_of(phone.e164)),) if phone else ()


def _shown(person: Person, one: Found) -> tuple[Found, str, Any, str] | None:
    """Return a found thing with the address at which it is read, its word and its id; None when it has no page."""
    if one.kind == "sub":
        return one, url_for("publisher.leads", sub=one.name), KINDS["sub"], ""
    place = PLACES.get((person.kind, one.kind))
    if place is None:
        return None
    endpoint, name = place
    kind = name if one.owner_id else one.kind
    values: dict[str, Any] = {name: show_id(PREFIXES[kind], one.owner_id or one.id)}
    address = url_for(endpoint, **values)
    return one, address, KINDS[one.kind], show_id(PREFIXES[one.kind], one.id)
