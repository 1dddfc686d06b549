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
    return Markup(  # noqa: S704  # escaped
        f'<div class="field"><label for="{escape(field.id)}">{escape(label)}{above}</label>\n'
        f"{_drawn(field, ties, given)}{under(field, help)}</div>"
    )


def bare(field: Field, label: Any, **given: Any) -> Markup:
    """Show a field within a row: its label is read out, its faults stand below it."""
    ties = [f"{field.id}-fault"] if field.errors else []
    drawn = _drawn(field, ties, {"aria-label": label} | given)
    return Markup(f'<div class="field">{drawn}{under(field)}</div>')  # noqa: S704  # escaped


def _drawn(field: Field, ties: list[str], given: dict[str, Any]) -> Markup:
    told = {"class": "form-select" if field.type == "SelectField" else "form-control"}
    if field.errors:
        told["aria-invalid"] = "true"
    if ties:
        told["aria-describedby"] = " ".join(ties)
    drawn: Markup = field(**(told | given))
    return drawn


def under(field: Field, help: Any = "") -> Markup:  # noqa: A002  # as templates say it
    """Show what stands below a field: its faults, then its help."""
    told = Markup("")
    if field.errors:
        faults = Markup(" ").join(said(fault) for fault in field.errors)
        told += Markup('<p class="fault" id="{}-fault">{}</p>').format(field.id, faults)
    return told + Markup('<p class="help" id="{}-help">{}</p>').format(field.id, help) if help else told
