"""What the next page tells of a button that was pressed: what was done, or why nothing was."""

from flask import flash
from flask_wtf import FlaskForm


def tell(said: str | FlaskForm) -> None:
    """Tell what was done, or, given the form that was refused, every fault of it."""
    if isinstance(said, str):
        flash(said, "info")
        return
    faults = [*said.form_errors, *(fault for field in said for fault in field.errors)]
    for fault in faults:
        flash(str(fault), "error")
