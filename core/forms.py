"""Forms on pages: what was typed stays, and each fault of the domain is shown at the field it is about."""

from collections.abc import Callable
from typing import TypeVar

from flask_wtf import FlaskForm

from core.db import transaction
from core.errors import Conflict, Invalid, TooMany

T = TypeVar("T")


def carry_out(form: FlaskForm, work: Callable[[], T], names: dict[str, str] | None = None) -> T | None:
    """Do the work of a posted form in one transaction and return what it gives; None when the form is to be shown.

    The work itself gives something else than None. The form is shown before it is posted, when its own checks fail, and
    when the domain refuses the work: nothing was done then, and each fault stands at the field of its name, the others
    above the form; `names` maps a fault's field to the form's where they differ.
    """
    if not form.validate_on_submit() or _holds_nul(form):
        return None
    try:
        with transaction():
            return work()
    except (Invalid, Conflict) as refused:
        show_faults(form, refused, names)
        return None


def _holds_nul(form: FlaskForm) -> bool:
    """Tell whether a text holds what no database keeps, as no browser sends it; the fault then stands at its field."""
    found = [field for field in form if isinstance(field.data, str) and "\0" in field.data]
    for field in found:
        field.errors = [*field.errors, "Remove the NUL character (\\u0000) from this text."]
    return bool(found)


def show_faults(form: FlaskForm, refused: Invalid | Conflict | TooMany, names: dict[str, str] | None = None) -> None:
    """Put a refusal's faults at the form's fields; `names` maps a fault's field to the form's where they differ."""
    for fault in refused.faults:
        name = (names or {}).get(fault.field, fault.field)
        if name in form:
            form[name].errors = [*form[name].errors, fault.message]
        else:
            form.form_errors.append(fault.message)
    if not refused.faults:
        form.form_errors.append(refused.detail)
