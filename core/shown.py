"""Small things that lists show many times, written by functions: a macro of a template costs ten times as much."""

from datetime import datetime

from markupsafe import Markup, escape

from core.i18n import NO_WORDS, exact, relative
from core.pages import icon, page_time
from core.words import gettext


def instant(at: datetime | None) -> Markup:
    """Show how long ago or how far off an instant is; whoever points at it reads it to the second."""
    if at is None:
        return escape(NO_WORDS)
    away = escape(relative(at, page_time()))
    return Markup(f'<time datetime="{at.isoformat()}" title="{escape(exact(at))}">{away}</time>')  # noqa: S704  # escaped


def ident(shown: str, short: int = 8) -> Markup:
    """Show the end of an id; the whole one stands in its title and is copied on a click."""
    whole, end, copy = escape(shown), escape(shown[-short:]), escape(gettext("Copy"))
    return Markup(  # noqa: S704  # escaped
        f'<span class="ident"><code title="{whole}">…{end}</code><button class="plain-button copy" type="button"'
        f' data-copy="{whole}" aria-label="{copy} {whole}" hidden>{icon("copy", 12)}</button></span>'
    )
