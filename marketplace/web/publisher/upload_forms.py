"""The forms of uploads: choosing a file, and saying for each field of a lead where it comes from."""

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.errors import Fault, Invalid
from core.i18n import NO_WORDS
from core.words import lazy_gettext as _l
from marketplace.leads.uploads.answers import Answers, Said, place_of
from marketplace.leads.uploads.sniffing import ENCODINGS
from marketplace.leads.uploads.targets import DATE_FORMATS, Target

MOST_SHOWN = 80  # letters of a column's name, which each field's choice repeats
NO_VERSION = -1
_EXAMPLE = {"Y": "2026", "m": "01", "d": "31", "H": "17", "M": "05", "S": "09"}


class UploadForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A file, and what it is for."""

    file = FileField(validators=[InputRequired("Choose a file.")])
    source = StringField(
        validators=[InputRequired("Name the source."), Length(max=100, message="Write at most 100 letters.")]
    )
    vertical = SelectField()
    encoding = SelectField(choices=[("", _l("Find out")), *((one, one.upper()) for one in ENCODINGS)])


def columns_form(targets: Sequence[Target], header: Sequence[str], answers: Answers, version: int) -> FlaskForm:
    """Make the form that asks where each field comes from, filled in with these answers; columns go by their place."""
    places = {name: str(place) for place, name in enumerate(header)}
    columns = [("", NO_WORDS), *((place, name[:MOST_SHOWN] or NO_WORDS) for name, place in places.items())]
    fields: dict[str, Any] = {
        "empty": StringField(default=", ".join(answers.empty), validators=[Length(max=1000)]),
        "country": StringField(default=answers.country, validators=[Length(max=10)]),
        "timezone": StringField(default=answers.timezone, validators=[InputRequired("Write UTC or Europe/Paris.")]),
        "version": HiddenField(default=str(version)),
    }
    for target in targets:
        said, name = answers.fields.get(target.path, Said()), name_of(target.path)
        fields[f"{name}-column"] = SelectField(choices=columns, default=places.get(said.column, ""))
        fields[f"{name}-constant"] = StringField(default=said.constant, validators=[Length(max=10_000)])
        if target.kind in ("instant", "date"):
            fields[f"{name}-format"] = SelectField(choices=DATE_CHOICES, default=said.format)
        elif target.kind != "text":
            told = "\n".join(f"{text} = {value}" for text, value in said.values.items())
            fields[f"{name}-values"] = TextAreaField(default=told, validators=[Length(max=20_000)])
    return type("ColumnsForm", (FlaskForm,), fields)()


DATE_CHOICES = [
    ("", "2026-01-31T17:05:09Z"),
    *((one, "".join(_EXAMPLE.get(part[:1], part[:1]) + part[1:] for part in one.split("%"))) for one in DATE_FORMATS),
]  # fmt: skip


def name_of(path: str) -> str:
    """Return the name that a field's inputs begin with: no dots, which forms keep for themselves."""
    return path.replace(".", "-")


def version_in(form: FlaskForm) -> int:
    """Return which answers the form was filled in with; one that no form said fits none."""
    text = form["version"].data or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else NO_VERSION


def answers_in(form: FlaskForm, targets: Sequence[Target], header: Sequence[str]) -> Answers:
    """Read what the form says; Invalid `invalid_mapping` for words that are no pairs."""
    fields, faults = {}, []
    for target in targets:
        name = name_of(target.path)
        column, constant = form[f"{name}-column"].data, (form[f"{name}-constant"].data or "").strip()
        values, bad = _pairs(form[f"{name}-values"].data or "" if f"{name}-values" in form else "")
        faults += [Fault(f"{target.path}-values", "bad_format", f"Write a line as text = value, not {bad!r}.")] * bool(
            bad
        )
        said = Said(
            header[int(column)] if column else "", constant, values,
            (form[f"{name}-format"].data or "") if f"{name}-format" in form else "",
        )  # fmt: skip
        if said.column or said.constant:
            fields[target.path] = said
    if faults:
        raise Invalid("invalid_mapping", "The mapping has faults; nothing was imported.", faults)
    empty = tuple(text.strip() for text in (form["empty"].data or "").split(",") if text.strip())
    country = (form["country"].data or "").strip().upper()
    return Answers(fields, empty, country, (form["timezone"].data or "").strip())


def _pairs(text: str) -> tuple[dict[str, str], str]:
    """Read lines of text = value; the second is the first line that is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    pairs = [tuple(part.strip() for part in line.rpartition("=")[::2]) for line in lines]
    bad = next((line for line, pair in zip(lines, pairs, strict=True) if "" in pair), "")
    return {pair[0]: pair[1] for pair in pairs if "" not in pair}, bad[:60]


def named_as_here(refused: Invalid, targets: Sequence[Target]) -> Invalid:
    """Return a refusal of a mapping whose faults bear the names of the form's inputs."""
    known = {one.path: name_of(one.path) for one in targets}
    faults = []
    for fault in refused.faults:
        path, _, part = place_of(fault, targets).rpartition("-")
        faults.append(Fault(f"{known[path]}-{part}" if path in known else part, fault.code, fault.message))
    return Invalid(refused.code, refused.detail, faults)
