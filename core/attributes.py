"""The attributes of fields, as WTForms' widgets write them; its own way took two fifths of a page of 200 fields."""

from typing import Any

from markupsafe import Markup, escape
from wtforms.widgets import Input, core


def install() -> None:
    """Have every widget write its attributes by `attributes`."""
    Input.html_params = staticmethod(attributes)
    core.html_params = attributes


def attributes(**given: Any) -> Markup:
    """Write attributes by their names as WTForms does: True is a bare name, False is left out, all else is escaped."""
    named = [(core.clean_key(name), given[name]) for name in sorted(given) if given[name] is not False]
    written = [name if value is True else f'{name}="{_quotable(value)}"' for name, value in named]
    return Markup(" ".join(written))  # noqa: S704  # every value was escaped


def _quotable(value: Any) -> str:
    """Escape a value; what is markup already keeps its marks but for the quotes that would end it."""
    return str(escape(value)).replace('"', "&quot;")
