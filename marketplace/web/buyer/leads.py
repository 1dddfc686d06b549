"""The leads that a buyer bought, the hot ones first: who to reach, what was reported, and reporting with one key."""

from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from core.actors import Person, page
from core.db import transaction
from core.errors import Conflict, Fault, Invalid
from core.forms import carry_out
from core.http import business_clock, filter_of
from core.ids import parse_id
from core.pages import page_time
from core.rates import count_towards
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.delivery.resending import RESENDS, ask_to_send
from marketplace.leads.dispositions import LOST_REASONS, STATUSES, Report, report_disposition
from marketplace.leads.queries import get_sale
from marketplace.leads.stages import MOVES
from marketplace.orders.periods import is_zone
from marketplace.reports.buyer_leads import HOTTEST_FIRST, WORK, Wanted, bought_leads, read_cursor, story_of
from marketplace.web.buyer.happenings import happenings
from marketplace.web.buyer.order_age_fields import RETURNED_WORDS
from marketplace.web.buyer.routes import buyer
from marketplace.web.chrome import CURRENCY
from marketplace.web.telling import tell
from marketplace.web.words import LOST, REPORTS, STATES, TEMPERATURES, WORKS

STEP_SECONDS = 10  # the same key twice within so many seconds is pressed once
NOTE = 4000


class ReportForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What happened with a bought lead."""

    status = SelectField(choices=[SelectChoice(one, REPORTS[one]) for one in STATUSES], validate_choice=False)
    lost_reason = SelectField(choices=[SelectChoice("", "–")] + [SelectChoice(one, LOST[one]) for one in LOST_REASONS],  # noqa: RUF001  # a dash
                              validate_choice=False)  # fmt: skip
    follow_up_at = StringField()
    note = TextAreaField(validators=[Length(max=NOTE, message=_l("Write at most 4000 characters."))])
    zone = HiddenField()


@buyer.get("/leads")
@page("buyer")
def leads(person: Person) -> str:
    """Show what was bought: the hot leads first, the newest of them first."""
    wanted = Wanted(filter_of("state", MOVES["sale"]), filter_of("temperature", HOTTEST_FIRST),
                    filter_of("work", WORK), read_cursor(request.args.get("cursor")))  # fmt: skip
    return render_template(
        "marketplace/buyer/leads.html", part=bought_leads(person.account_id, wanted, page_time()), wanted=wanted,
        states=[(one, STATES[one].says) for one in MOVES["sale"]], currency=CURRENCY, works=list(WORKS.items()),
        temperatures=list(TEMPERATURES.items()),
    )  # fmt: skip


@buyer.route("/leads/<sale>", methods=["GET", "POST"])
@page("buyer")
def lead(person: Person, sale: str) -> str | Response:
    """Show a lead's story and take a report on it."""
    form = ReportForm()
    if (status := carry_out(form, lambda: _reported(person, sale, form))) is not None:
        tell(gettext("Reported: %(status)s.", status=REPORTS[status]))
        return redirect(_back(sale))
    story = story_of(person.account_id, parse_id("sale", sale), page_time())
    happened = happenings(story.events, story.reports, person)
    return render_template(
        "marketplace/buyer/lead.html", story=story, aged=story.aged, returned_words=RETURNED_WORDS, happened=happened,
        form=form, sale=sale, quick=[(one, REPORTS[one]) for one in STATUSES if one != "lost"],
    )  # fmt: skip


@buyer.post("/leads/<sale>/send")
@page("buyer")
def send_lead(person: Person, sale: str) -> Response:
    """Send a lead by hand: at once if it waits, else again to where its order delivers now."""
    try:
        with transaction():
            row = get_sale(person.account_id, parse_id("sale", sale))
            count_towards(RESENDS, person.account_id, "resend")
            ask_to_send(row, person.name, business_clock().now())
        tell(gettext("The lead is being sent; what comes of it stands among its deliveries in a moment."))
    except Conflict as refused:
        tell(refused.detail, is_wrong=True)
    came_from = "buyer.delivery" if request.form.get("back") == "deliveries" else "buyer.lead"
    return redirect(url_for(came_from, sale=sale))


def _reported(person: Person, sale: str, form: ReportForm) -> str:
    now = business_clock().now()
    sold_at = get_sale(person.account_id, parse_id("sale", sale)).sold_at
    at = max(now.replace(second=now.second // STEP_SECONDS * STEP_SECONDS, microsecond=0), sold_at)
    report = Report(form.status.data or "", at, form.lost_reason.data or None, _follow_up(form), form.note.data or None)
    report_disposition(person.account_id, parse_id("sale", sale), report, person.name, now)
    return report.status


def _follow_up(form: ReportForm) -> datetime | None:
    """Read the wall clock's time in the zone that the page named."""
    text = (form.follow_up_at.data or "").strip()
    zone = ZoneInfo(form.zone.data) if is_zone(form.zone.data or "") else ZoneInfo("UTC")
    try:
        read = datetime.fromisoformat(text) if text else None
        return read if read is None or read.tzinfo else read.replace(tzinfo=zone)
    except ValueError:
        fault = Fault("follow_up_at", "bad_instant", "Write the day and the time, such as 2026-11-28T10:00.")
        raise Invalid("invalid_disposition", "The report cannot be kept.", [fault]) from None


def _back(sale: str) -> str:
    """Return to the place in the list that the report was made from, to the lead's own page otherwise."""
    came, listed = urlsplit(request.referrer or ""), url_for("buyer.leads")
    if came.netloc == request.host and came.path == listed:
        return f"{listed}?{came.query}" if came.query else listed
    return url_for("buyer.lead", sale=sale)
