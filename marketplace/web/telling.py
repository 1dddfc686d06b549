"""What the next page tells of a button that was pressed: what was done, or why nothing was."""

from flask import flash
from flask_wtf import FlaskForm


def tell(said: str | FlaskForm, *, is_wrong: bool = False) -> None:
    """Tell what was done or why it was not; of a form that was refused, every fault above it."""
    if isinstance(said, str):
        flash(said, "error" if is_wrong else "info")
        return
    for fault in said.form_errors:
        flash(str(fault), "error")
