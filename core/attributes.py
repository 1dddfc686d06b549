"""The attributes of fields, as WTForms' widgets write them; its own way took two fifths of a page of 200 fields."""

from functools import cache, lru_cache
from typing import Any

from markupsafe import Markup, escape
from wtforms.widgets import Input, Select, core

LONGEST = 100  # of a value whose attribute is kept as it was written


def install() -> None:
    """Have every widget write its attributes by `attributes`, and find how a class draws an option once."""
    Input.html_params = staticmethod(attributes)
    core.html_params = attributes
    Select._dispatch_render_option = _DRAWN_BY  # noqa: SLF001  # theirs looks anew for each list


_found_for: Any = cache(vars(Select)["_dispatch_render_option"].__func__)
_DRAWN_BY: Any = classmethod(_found_for)


def attributes(**given: Any) -> Markup:
    """Write attributes by their names as WTForms does: True is a bare name, False is left out, all else is escaped."""
    return Markup(" ".join([_attribute(name, given[name]) for name in sorted(given) if given[name] is not False]))  # noqa: S704  # every value was escaped


def _attribute(name: str, value: Any) -> str:
    if type(value) is str and name != "value" and len(value) <= LONGEST:  # what somebody typed is not kept
        return _written(name, value)
    return _clean(name) if value is True else f'{_clean(name)}="{_quotable(value)}"'


_clean = cache(core.clean_key)


@lru_cache(16_384)
def _written(name: str, value: str) -> str:
    return f'{_clean(name)}="{escape(value)}"'


def _quotable(value: Any) -> str:
    """Escape a value; what is markup already keeps its marks but for the quotes that would end it."""
    return str(escape(value)).replace('"', "&quot;")
