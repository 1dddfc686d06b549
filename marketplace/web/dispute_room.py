"""One dispute as either side of it meets it: the page, a file, files that are shown, and an appeal."""

from collections.abc import Callable

from flask import Response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse

from core.actors import Person
from core.forms import carry_out
from core.http import business_clock, download, settings
from core.ids import parse_id
from core.pages import page_time
from core.words import lazy_gettext as _l
from marketplace.leads.disputes import open_appeal
from marketplace.leads.disputes.evidence import get_file, read_file
from marketplace.reports.dispute_sides import DisputeStory, dispute_story
from marketplace.web.dispute_forms import AppealForm, FileForm, keep_files
from marketplace.web.dispute_words import what_happened
from marketplace.web.telling import tell
from marketplace.web.words import dispute_reason_of

DONE = {
    "appeal": _l("The appeal is made."),
    "answer": _l("The answer is kept; both sides read it."),
    "evidence": _l("The files are shown to both sides."),
}


def dispute_drawn(person: Person, dispute: str) -> str:
    """Draw one dispute of the person's side; NotFound for anybody else's."""
    story = _story(person, dispute)
    return render_template("marketplace/dispute.html", story=story, reason_of=dispute_reason_of,
                           events=what_happened(story))  # fmt: skip


def file_saved(person: Person, dispute: str, file: str) -> Response:
    """Give a file of a dispute to one of its sides."""
    found = get_file(person.account_id, parse_id("dsp", dispute), parse_id("file", file))
    return download(found.name, found.media_type, read_file(found, settings().data_folder))


def files_shown(person: Person, dispute: str) -> str | AnyResponse:
    """Take files while a dispute is undecided."""
    form, dispute_id = FileForm(), parse_id("dsp", dispute)
    return answered(person, dispute, "evidence", form, lambda: keep_files(person, dispute_id, form.file.data))


def appealed(person: Person, dispute: str) -> str | AnyResponse:
    """Take an appeal against a decision."""
    form, dispute_id = AppealForm(), parse_id("dsp", dispute)

    def work() -> bool:
        open_appeal(person.account_id, dispute_id, form.note.data or "", person.name, business_clock().now())
        return True

    return answered(person, dispute, "appeal", form, work)


def answered(person: Person, dispute: str, kind: str, form: FlaskForm, work: Callable[[], bool]) -> str | AnyResponse:
    """Do the work of a posted form and go back to the dispute, or show the form with what is in its way."""
    if carry_out(form, work):
        tell(str(DONE[kind]))
        return redirect(url_for(f"{request.blueprint}.dispute", dispute=dispute))
    return render_template("marketplace/dispute_form.html", form=form, story=_story(person, dispute), kind=kind,
                           reason_of=dispute_reason_of)  # fmt: skip


def _story(person: Person, dispute: str) -> DisputeStory:
    return dispute_story(person.account_id, parse_id("dsp", dispute), page_time())
