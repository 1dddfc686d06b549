"""What both sides of a dispute send on pages: files that show something, and an appeal."""

from collections.abc import Sequence
from uuid import UUID

from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from werkzeug.datastructures import FileStorage
from wtforms import TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from core.actors import Person
from core.errors import Conflict, Fault, Invalid
from core.http import business_clock, settings
from core.words import lazy_gettext as _l
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.dispute_rows import EvidenceFile
from marketplace.leads.disputes.evidence import add_file, discard_bytes

MOST_NOTE = 4000
TOO_LONG = _l("Write at most 4000 letters.")


class FileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Files that one side shows."""

    file = MultipleFileField(validators=[InputRequired(_l("Choose a file."))])


class AppealForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Why the losing side appeals."""

    note = TextAreaField(
        validators=[DataRequired(_l("Say what was judged wrong.")), Length(max=MOST_NOTE, message=TOO_LONG)]
    )


def keep_files(person: Person, dispute_id: UUID, files: Sequence[FileStorage] | None) -> bool:
    """Keep the files that came with a form, none or all of them; Invalid names every one that is refused."""
    kept: list[EvidenceFile] = []
    try:
        _keep(person, dispute_id, files or (), kept)
    except (Invalid, Conflict):
        for file in kept:
            discard_bytes(file, settings().data_folder)
        raise
    return True


def _keep(person: Person, dispute_id: UUID, files: Sequence[FileStorage], kept: list[EvidenceFile]) -> None:
    rules, folder, at, faults = dispute_rules(), settings().data_folder, business_clock().now(), []
    if len(files) > rules.files_a_side:
        raise Conflict("too_many_files", f"Each side shows at most {rules.files_a_side} files.")
    for sent in files:
        name, data = sent.filename or "", sent.read(rules.file_bytes + 1)
        sent.close()
        try:
            kept.append(add_file(person.account_id, dispute_id, name, data, folder, person.name, at))
        except Invalid as refused:
            faults += [Fault("file", one.code, f"{name}: {one.message}") for one in refused.faults]
    if faults:
        raise Invalid("invalid_evidence", "The files cannot be kept.", faults)
