"""The ledger of a span for accountants, saved as CSV or as text that beancount reads."""

from tempfile import TemporaryFile

from flask import Response, render_template, request, send_file
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from core.actors import Person, page
from core.months import month_before, month_of
from core.pages import page_time
from marketplace.reports.ledger_sheet import FORMATS, read_span
from marketplace.web.operator.routes import operator


class SpanForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Which days, in which form."""

    class Meta:
        """A form that asks and changes nothing needs no token."""

        csrf = False

    first = StringField(name="from")
    last = StringField(name="to")
    format = SelectField(choices=[(one, one) for one in FORMATS])


@operator.get("/export")
@page("operator")
def export_books(_: Person) -> str:
    """Ask which days of the ledger are to be saved; the month that is over without a word."""
    month = month_of(page_time())
    form = SpanForm(
        formdata=None, data={"first": month_before(month).isoformat(), "last": page_time().date().isoformat()}
    )
    return render_template("marketplace/operator/export.html", form=form)


@operator.get("/export/ledger")
@page("operator")
def exported_books(_: Person) -> Response:
    """Save the ledger of some days, however many entries there are: written to disk first, so that it comes whole."""
    span = read_span(*(request.args.get(name, "") for name in ("from", "to", "format")))
    file = TemporaryFile()  # noqa: SIM115  # closed by whoever sends it
    for piece in span.lines():
        file.write(piece)
    file.seek(0)
    kind = "text/csv" if span.form == "csv" else "text/plain"
    return send_file(file, kind, as_attachment=True, download_name=span.name, max_age=0)
