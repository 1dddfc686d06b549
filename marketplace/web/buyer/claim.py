"""Opening a dispute of a bought lead: what may be claimed now and until when, what shows it, and what it can cost."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from core.actors import Person, page
from core.clock import as_rfc3339
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id, show_id
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.disputes import Claim, open_dispute
from marketplace.orders.periods import is_zone
from marketplace.reports.buyer_disputes import dispute_of_sale
from marketplace.reports.claimable import ClaimSheet, claim_sheet
from marketplace.web.buyer.routes import buyer
from marketplace.web.dispute_forms import MOST_NOTE, TOO_LONG, keep_files
from marketplace.web.telling import tell
from marketplace.web.words import dispute_reason_of

MOST_CALLS = 20
CALL = "%Y-%m-%d %H:%M"


class ClaimForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """What a buyer claims of a lead, in his words and with his files."""

    reason = StringField(validators=[DataRequired(_l("Choose what is wrong with the lead."))])
    sub_reason = StringField()
    note = TextAreaField(validators=[Length(max=MOST_NOTE, message=TOO_LONG)])
    calls = TextAreaField()
    zone = HiddenField()
    file = MultipleFileField()


@buyer.route("/leads/<sale>/dispute", methods=["GET", "POST"])
@page("buyer")
def open_claim(person: Person, sale: str) -> str | Response:
    """Say what may be claimed of a lead, and open its dispute; one that is open already is shown instead."""
    sale_id, form = parse_id("sale", sale), ClaimForm()
    made = carry_out(form, lambda: _opened(person, sale, form), {"evidence": "calls"})
    opened = made or dispute_of_sale(person.account_id, sale_id)
    if opened is None:
        return _drawn(claim_sheet(person.account_id, sale_id, page_time()), form, sale)
    if made:
        tell(gettext("The dispute is open. The publisher is heard; the money waits for the decision."))
    return redirect(url_for("buyer.dispute", dispute=show_id("dsp", opened)))


def _opened(person: Person, sale: str, form: ClaimForm) -> Any:
    """Open the dispute with its files, or nothing."""
    claim = Claim(
        form.reason.data, form.note.data or "", list(_calls(form)), form.sub_reason.data or None,
        brings_file=bool(form.file.data),
    )  # fmt: skip
    opened = open_dispute(person.account_id, parse_id("sale", sale), claim, person.name, business_clock().now()).id
    keep_files(person, opened, form.file.data)
    return opened


def _calls(form: ClaimForm) -> Iterator[dict[str, str]]:
    """Read the calls of a reason that calls show, one a line, by the wall clock of the zone that the page named."""
    rule = rules_in_force().reasons.get(form.reason.data)
    said = (form.calls.data or "").split("\n") if rule and rule.attempts else []
    lines = [line.strip() for line in said if line.strip()][: MOST_CALLS + 1]  # one too many tells it
    zone = ZoneInfo(form.zone.data) if is_zone(form.zone.data or "") else ZoneInfo("UTC")
    calls = [(line, _instant(line, zone)) for line in lines]
    bad = [Fault("calls", "bad_instant", f"Write {text[:40]!r} as 2026-11-28 10:00.") for text, at in calls if not at]
    if len(calls) > MOST_CALLS:
        bad.append(Fault("calls", "too_many", f"Name at most {MOST_CALLS} calls."))
    if bad:
        raise Invalid("invalid_dispute", "The dispute cannot be opened.", bad)
    return ({"attempted_at": as_rfc3339(at)} for _, at in calls if at)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _drawn(sheet: ClaimSheet, form: ClaimForm, sale: str) -> str:
    zone = ZoneInfo(sheet.zone)
    form.zone.data = form.zone.data or sheet.zone
    if not form.is_submitted():
        form.calls.data = _as_lines(sheet.calls, zone)
    return render_template("marketplace/buyer/claim.html", sheet=sheet, form=form, sale=sale,
                           reason_of=dispute_reason_of, rules=rules_in_force())  # fmt: skip


def _as_lines(calls: Sequence[datetime], zone: ZoneInfo) -> str:
    return "\n".join(at.astimezone(zone).strftime(CALL) for at in calls[-MOST_CALLS:])
