"""The publisher's leads: the list with its filters, the same as a sheet, and the story of one lead."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from core.actors import Person, page
from core.clock import as_rfc3339
from core.db import transaction
from core.errors import Conflict, Fault, Malformed
from core.http import business_clock, filter_of
from core.ids import parse_id, show_id
from core.keyset import read_asked
from core.money import Money
from core.pages import page_time
from core.words import gettext
from marketplace.catalog.shelf import verticals_by_id
from marketplace.leads.again.switching import switch_lead
from marketplace.leads.models import Lead
from marketplace.leads.reasons import REASONS
from marketplace.reports.publisher_leads import SORTS, Narrowed, every_lead, leads_asked, payouts_of, story_of
from marketplace.reports.sheet import sheet_line
from marketplace.web.publisher.routes import publisher
from marketplace.web.publisher.words import OFFER_KINDS, happened, offering_word, reason_of
from marketplace.web.telling import tell
from marketplace.web.words import LEAD_STATUSES, STATES

LONGEST = 200  # letters of a source or a sub id, as a lead may say them
HEAD = ("id", "received_at", "status", "reasons", "vertical", "region", "source", "subs", "external_id", "score",
        "temperature", "contact_class", "test", "payout", "currency")  # fmt: skip


@publisher.get("/leads")
@page("publisher")
def leads(person: Person) -> str:
    """List the leads, the newest first."""
    asked, narrowed = read_asked(request.args, SORTS, "-received"), _narrowed()
    found = leads_asked(person.account_id, narrowed, asked)
    return render_template(
        "marketplace/publisher/leads.html", leads=found, paid=payouts_of(found.rows), narrowed=narrowed,
        verticals=verticals_by_id(), statuses=[(one, STATES[one].says) for one in LEAD_STATUSES], reasons=REASONS,
        reason_of=reason_of,
    )  # fmt: skip


@publisher.get("/leads.csv")
@page("publisher")
def leads_sheet(person: Person) -> Response:
    """Save every lead that the list would show, without contacts, as CSV that no spreadsheet runs."""
    lines = _lines(person, _narrowed(), {key: one.slug for key, one in verticals_by_id().items()})
    response = Response(b"".join(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=leads.csv"
    return response


@publisher.get("/leads/<lead>")
@page("publisher")
def lead(person: Person, lead: str) -> str:
    """Tell the story of one lead: what was sent, why it sold or did not, what it pays and when."""
    story = story_of(person.account_id, parse_id("lead", lead), page_time())
    lines = [("…" + show_id("sale", sale.id)[-8:], Money(sale.payout_minor, sale.currency)) for sale in story.paying]
    return render_template("marketplace/publisher/lead.html", story=story, events=happened(story),
                           lines=lines, reasons=REASONS, offering_word=offering_word,
                           offer_kinds=OFFER_KINDS)  # fmt: skip


@publisher.post("/leads/<lead>/offering")
@page("publisher")
def lead_offering(person: Person, lead: str) -> Redirect:
    """Let one lead be offered again, or not."""
    offered = request.form.get("offered") == "true"
    try:
        with transaction():
            switch_lead(person.account_id, parse_id("lead", lead), offered, person.name, business_clock().now())
        tell(gettext("Kept. It holds from now on."))
    except Conflict as refused:
        tell(refused.detail, is_wrong=True)
    return redirect(url_for("publisher.lead", lead=lead), 303)


def _narrowed() -> Narrowed:
    faults: list[Fault] = []
    texts = {name: request.args.get(name, "").strip() for name in ("source", "sub", "since", "until")}
    too_long = [name for name in ("source", "sub") if len(texts[name]) > LONGEST or "\0" in texts[name]]
    faults += [Fault(name, "too_long", f"Write at most {LONGEST} letters.") for name in too_long]
    days = {name: _day(name, texts[name], faults) for name in ("since", "until")}
    if faults:
        raise Malformed("bad_filter", "This list cannot be shown.", faults)
    reason = filter_of("reason", [*REASONS, ""]) or None
    is_test = filter_of("test", ("true", "false")) == "true"
    return Narrowed(filter_of("status", LEAD_STATUSES), reason, texts["source"], texts["sub"], **days, test=is_test)


def _day(name: str, text: str, faults: list[Fault]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults.append(Fault(name, "not_a_date", "Write a day as 2026-01-31."))
        return None


def _lines(person: Person, narrowed: Narrowed, slugs: dict[int, str]) -> Iterator[bytes]:
    currencies = {key: one.currency for key, one in verticals_by_id().items()}
    yield sheet_line(HEAD)
    for row, paid in every_lead(person.account_id, narrowed):
        yield sheet_line(_cells(row, slugs[row.vertical_id], paid, currencies[row.vertical_id]))


def _cells(row: Lead, slug: str, paid: int | None, currency: str) -> list[Any]:
    subs: dict[str, str] = row.details.get("source", {}).get("sub", {})
    told = "; ".join(f"{number}={text}" for number, text in sorted(subs.items()))
    payout = "" if paid is None else str(Money(paid, currency))
    return [show_id("lead", row.id), as_rfc3339(row.received_at), row.status, "; ".join(row.reasons), slug, row.region,
            row.source_name, told, row.external_id or "", row.score, row.temperature, row.contact_class,
            "true" if row.test else "false", payout, currency]  # fmt: skip
