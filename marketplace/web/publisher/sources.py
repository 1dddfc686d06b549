"""The publisher's sources: how each stands, registering and changing one, and the page for who programs the post."""

from typing import Any, get_args

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.actors import Person, page
from core.db import transaction
from core.forms import carry_out
from core.http import business_clock
from core.i18n import NO_WORDS
from core.ids import parse_id, show_id
from core.pages import page_time
from marketplace.catalog.shelf import all_verticals, get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads.dialects import DIALECTS
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.register import change_source, close_source, get_source, register_source, terms_of
from marketplace.leads.sources.terms import SourceBody, SourcePatch, mapping_for
from marketplace.leads.submission import Channel
from marketplace.reports import specification as spec
from marketplace.reports.publisher_sources import sources_shown
from marketplace.web.publisher.routes import publisher
from marketplace.web.publisher.words import DIALECT_WORDS
from marketplace.web.vertical_names import name_verticals

FORMS = ("leadspedia", "leadprosper", "leadexec", "leadbyte", "boberdoo")  # dialects that a form speaks
TEST_FLAGS = {"leadspedia": {"lp_test": "1"}, "leadprosper": {"lp_action": "test"}}  # what makes a post a test


class SourceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """What a publisher says of a source."""

    name = StringField(
        validators=[InputRequired("Name the source."), Length(max=100, message="Write at most 100 letters.")]
    )
    region = StringField(
        validators=[
            InputRequired("Write a region, such as FR or FR-IDF."),
            Length(max=10, message="Write an ISO 3166 code, such as FR or FR-IDF."),
        ]
    )
    channel = SelectField(choices=[("", NO_WORDS), *((one, one.replace("_", " ")) for one in get_args(Channel))])
    consent_text = TextAreaField(validators=[Length(max=10_000, message="Write at most 10,000 letters.")])
    timezone = StringField(default="UTC", validators=[InputRequired("Name a time zone, such as Europe/Paris.")])


class NewSourceForm(SourceForm):
    """What a publisher says of a new source."""

    dialect = SelectField(choices=[(one, DIALECT_WORDS[one]) for one in DIALECTS])
    vertical = SelectField()


@publisher.get("/sources")
@page("publisher")
def sources(person: Person) -> str:
    """List the sources, how each stands, and the verticals that can be posted to."""
    found, verticals = sources_shown(person.account_id), all_verticals()
    return render_template("marketplace/publisher/sources.html", sources=found, verticals=verticals,
                           dialects=DIALECT_WORDS)  # fmt: skip


@publisher.route("/sources/new", methods=["GET", "POST"])
@page("publisher")
def new_source(person: Person) -> str:
    """Register a source; its key is shown on the page that follows and never again."""
    form = NewSourceForm()
    form.vertical.choices = name_verticals(all_verticals())
    made = carry_out(form, lambda: _register(person, form))
    if made is None:
        return render_template("marketplace/publisher/source.html", form=form, source=None)
    return render_template("marketplace/publisher/source_made.html", address=_address(made[0], made[1]), key=made[3],
                           source=made[0], credentials=_credentials(made[1], made[2], made[3]))  # fmt: skip


@publisher.route("/sources/<source>/change", methods=["GET", "POST"])
@page("publisher")
def edit_source(person: Person, source: str) -> str | Response:
    """Change a source for every post that begins after the answer."""
    row = get_source(person.account_id, parse_id("src", source))
    form = SourceForm(
        data={"name": row.name}
        | {name: row.terms.get(name) for name in ("region", "channel", "consent_text", "timezone")}
    )
    source_id, at = row.id, business_clock().now()
    if carry_out(form, lambda: change_source(person.account_id, source_id, SourcePatch(**_said(form)), at)):
        return redirect(url_for("publisher.sources"))
    return render_template("marketplace/publisher/source.html", form=form, source=source)


@publisher.post("/sources/<source>/<any(active, paused, closed):status>")
@page("publisher")
def set_source(person: Person, source: str, status: Any) -> Response:
    """Pause a source, let it take leads again, or close it for good."""
    source_id, at = parse_id("src", source), business_clock().now()
    with transaction():
        if status == "closed":
            close_source(person.account_id, source_id, at)
        else:
            change_source(person.account_id, source_id, SourcePatch(status=status), at)
    return redirect(url_for("publisher.sources"))


@publisher.get("/specification/<vertical>")
@page("publisher")
def specification(_: Person, vertical: str) -> str:
    """Tell a programmer how to post leads of a vertical over the HTTP interface."""
    found = get_vertical(vertical)[1]
    body = spec.example_of(found, found.example(page_time()))
    post = spec.json_post(f"{request.host_url}api/v1/leads", body)
    return _page_of(found, spec.json_fields(found, body), post, None, is_test=True)


@publisher.get("/sources/<source>")
@page("publisher")
def source_specification(person: Person, source: str) -> str:
    """Tell a programmer how to post to one source, in the dialect's own fields."""
    row = get_source(person.account_id, parse_id("src", source))
    _, found = get_vertical(row.vertical)
    body = spec.example_of(found, found.example(page_time()))
    fields = spec.form_fields(found, mapping_for(row.dialect, row.name, terms_of(row), found), body)
    post = None
    if row.dialect in FORMS:
        credentials = _credentials(row.dialect, row.number, "YOUR_KEY") | TEST_FLAGS.get(row.dialect, {})
        post = spec.form_post(_address(source, row.dialect), fields, credentials)
    return _page_of(found, fields, post, row, is_test=row.dialect in TEST_FLAGS)


def _page_of(
    vertical: Vertical, fields: list[spec.Field], post: spec.Post | None, row: LeadSource | None, *, is_test: bool
) -> str:
    credentials = _credentials(row.dialect, row.number, "") if row and row.dialect in DIALECTS else {}
    address = _address(show_id("src", row.id), row.dialect) if row else post.address if post else ""
    return render_template(
        "marketplace/publisher/specification.html", vertical=vertical, fields=fields, row=row, is_test=is_test,
        examples=spec.in_languages(post) if post else {}, address=address, dialects=DIALECT_WORDS,
        credentials=credentials,
    )  # fmt: skip


def _register(person: Person, form: NewSourceForm) -> tuple[str, str, int, str]:
    body = SourceBody(dialect=form.dialect.data, vertical=form.vertical.data, **_said(form))
    row, key = register_source(person.account_id, body, business_clock().now())
    return show_id("src", row.id), row.dialect, row.number, key


def _said(form: SourceForm) -> dict[str, Any]:
    return {"name": form.name.data, "region": form.region.data, "channel": form.channel.data or None,
            "consent_text": form.consent_text.data or None, "timezone": form.timezone.data}  # fmt: skip


def _address(source: str, dialect: str) -> str:
    return f"{request.host_url}in/{dialect}/{source}"


def _credentials(dialect: str, number: int, key: str) -> dict[str, str]:
    known = DIALECTS[dialect]
    return dict.fromkeys(known.numbers, str(number)) | {known.key: key}
