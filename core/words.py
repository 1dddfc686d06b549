"""Words of the program in the reader's language: each is looked up once a language and kept.

flask_babel looks four times through proxies for every word and every number, and a page has a thousand of them.
"""

from functools import lru_cache
from typing import Any

import flask_babel
from babel import Locale
from flask import g
from flask_babel import LazyString

MOST_WORDS = 16_384  # kept translated: those of the whole program in every language find room
LONGEST = 1000  # of a text that may be words of the program
_ENGLISH = Locale("en")


def locale() -> Locale:
    """Return the language of whoever is answered now, English when nobody is."""
    try:
        kept = g.get("_flask_babel")
    except RuntimeError:  # nobody is answered
        return _ENGLISH
    return getattr(kept, "babel_locale", None) or flask_babel.get_locale() or _ENGLISH


def gettext(text: str, /, **holes: Any) -> str:
    """Translate words of the program for the reader, and fill their holes."""
    words = translated(text, locale().language) if len(text) <= LONGEST else flask_babel.gettext(text)
    return words % holes if holes else words


def lazy_gettext(text: str, /, **holes: Any) -> LazyString:
    """Return words that are translated when somebody reads them."""
    return LazyString(gettext, text, **holes)


@lru_cache(MOST_WORDS)
def translated(text: str, language: str) -> str:  # noqa: ARG001  # the reader's, by which the words are kept
    """Return words in the language of the reader, which is said once more to keep them by."""
    return str(flask_babel.gettext(text))
