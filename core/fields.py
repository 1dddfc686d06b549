"""A form's fields as pages show them, written by functions: a form may have two hundred, each a costly macro."""

from typing import Any

from markupsafe import Markup, escape
from wtforms import Field

from core.i18n import said


def labelled(field: Field, label: Any, help: Any = "", unit: Any = "", **given: Any) -> Markup:  # noqa: A002  # as templates say it
    """Show a field under its label, above its help, with its faults where they are; `given` are attributes.

    What is said of a field without faults and without help is nothing: most fields of a long form.
    """
    ties = [f"{field.id}-{part}" for part, there in (("fault", field.errors), ("help", help)) if there]
    above = Markup(' <span class="unit">{}</span>').format(unit) if unit else ""
    below = Markup('<p class="help" id="{}-help">{}</p>').format(field.id, help) if help else ""
    return Markup(  # noqa: S704  # escaped
        f'<div class="field"><label for="{escape(field.id)}">{escape(label)}{above}</label>\n'
        f"{_drawn(field, ties, given)}{_faults(field)}{below}</div>"
    )


def bare(field: Field, label: Any, **given: Any) -> Markup:
    """Show a field within a row: its label is read out, its faults stand below it."""
    ties = [f"{field.id}-fault"] if field.errors else []
    drawn = _drawn(field, ties, {"aria-label": label} | given)
    return Markup(f'<div class="field">{drawn}{_faults(field)}</div>')  # noqa: S704  # escaped


def _drawn(field: Field, ties: list[str], given: dict[str, Any]) -> Markup:
    told = {"class": "form-select" if field.type == "SelectField" else "form-control"}
    if field.errors:
        told["aria-invalid"] = "true"
    if ties:
        told["aria-describedby"] = " ".join(ties)
    drawn: Markup = field(**(told | given))
    return drawn


def _faults(field: Field) -> str:
    if not field.errors:
        return ""
    told = " ".join(str(escape(said(fault))) for fault in field.errors)
    return f'<p class="fault" id="{escape(field.id)}-fault">{told}</p>'
