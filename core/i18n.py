"""Languages: which one a reader wants, and how numbers, amounts and instants are written in it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import read_mo
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent, get_currency_symbol
from flask import Flask, g, request
from flask_babel import Babel
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from core.identity import SignedIn
from core.money import Money, decimal_text
from core.shapes import Shape, shapes_of
from core.words import LONGEST, gettext, locale, translated

LANGUAGES = {"en": "English", "fr": "Français", "nl": "Nederlands"}
COOKIE = "language"
CATALOGUES = Path(__file__).parents[1] / "translations"
SENTENCE = "sentence"  # the context of sentences with holes
MOST_WRITTEN = 16_384  # amounts, instants and numbers kept as they are written, of each kind
NO_WORDS = "–"  # noqa: RUF001  # what stands where there is no value


def install(app: Flask) -> None:
    """Translate every page, and give templates the words for money, numbers and instants."""
    Babel(app, default_locale="en", default_timezone="UTC", locale_selector=wanted_language)
    filters = (money, amount, amount_in, changed, symbol, number, compact, percent, relative, exact, day, said)
    app.jinja_env.filters.update({each.__name__: each for each in filters})
    app.jinja_env.globals["_"] = _worded  # Jinja's own copies all that a template knows for each word in a loop


def wanted_language() -> str:
    """Return the language to answer in: the person's own, the cookie's, or the best of what the browser accepts."""
    person: SignedIn | None = g.get("signed_in")
    for wish in (person.language if person else None, request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return str(wish)
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def money(sum_of: Money | None) -> str:
    """Write an amount with its currency, exact to the cent."""
    return NO_WORDS if sum_of is None else _money(sum_of.minor, sum_of.currency, locale().language)


@lru_cache(MOST_WRITTEN)
def _money(minor: int, currency: str, language: str) -> str:
    return str(format_currency(Decimal(decimal_text(minor, currency)), currency, locale=language))


def amount(sum_of: Money | None) -> str:
    """Write an amount without its currency, for a column whose head says it."""
    return NO_WORDS if sum_of is None else _amount(sum_of.minor, sum_of.currency, locale().language)


def amount_in(minor: int, currency: str) -> str:
    """Write an amount of minor units without its currency, for a column whose head says it."""
    return _amount(minor, currency, locale().language)


@lru_cache(MOST_WRITTEN)
def _amount(minor: int, currency: str, language: str) -> str:
    text = decimal_text(minor, currency)
    digits = len(text.partition(".")[2])
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    return str(format_decimal(Decimal(text), pattern, locale=language))


def changed(by: Money | int) -> str:
    """Write a change against yesterday, with its sign."""
    minor = by.minor if isinstance(by, Money) else by
    written = money(by) if isinstance(by, Money) else number(by)
    return gettext("%(change)s on yesterday", change=("+" if minor > 0 else "") + written)


def symbol(currency: str) -> str:
    """Write a currency as its readers do."""
    return str(get_currency_symbol(currency, locale=locale()))


def number(value: int | float | Decimal | None) -> str:
    """Write a number."""
    return NO_WORDS if value is None else _number(value, locale().language)


@lru_cache(MOST_WRITTEN, typed=True)
def _number(value: int | float | Decimal, language: str) -> str:
    return str(format_decimal(value, locale=language))


def compact(value: float | Decimal) -> str:
    """Write a number for the scale of a chart."""
    return str(format_compact_decimal(value, locale=locale(), fraction_digits=1))


def percent(share: float | None) -> str:
    """Write a share of one as a percentage, to a tenth of one."""
    return NO_WORDS if share is None else _percent(share, locale().language)


@lru_cache(MOST_WRITTEN, typed=True)
def _percent(share: float, language: str) -> str:
    pattern = Locale(language).percent_formats[None].pattern.replace("0", "0.#", 1)
    return str(format_percent(share, pattern, locale=language))


def relative(instant: datetime, now: datetime) -> str:
    """Write how long ago an instant was, or how far off it is."""
    away = instant - now
    if abs(away) < timedelta(seconds=1):
        return gettext("now")
    return _away(timedelta(away.days, away.seconds), locale().language)


@lru_cache(MOST_WRITTEN)
def _away(by: timedelta, language: str) -> str:
    return str(format_timedelta(by, add_direction=True, locale=language))


def exact(instant: datetime) -> str:
    """Write an instant to the second, with its zone."""
    return _exact(instant, locale().language)


@lru_cache(MOST_WRITTEN)
def _exact(instant: datetime, language: str) -> str:
    return str(format_datetime(instant, "d MMM y, HH:mm:ss 'UTC'", tzinfo=UTC, locale=language))


def day(on: date) -> str:
    """Write a day with its year."""
    return _day(on.astimezone(UTC).date() if isinstance(on, datetime) else on, locale().language)


@lru_cache(MOST_WRITTEN)
def _day(on: date, language: str) -> str:
    return str(format_date(on, "d MMM y", locale=language))


@pass_eval_context
def _worded(here: EvalContext, text: str, /, **holes: Any) -> str:
    """Translate a template's words and fill their holes, escaped where the template is HTML."""
    word = _marked(text, locale().language)
    if not here.autoescape:
        return str(word) % holes
    return word % holes if "%" in word else word


@lru_cache(MOST_WRITTEN)
def _marked(text: str, language: str) -> Markup:
    return Markup(translated(text, language))  # noqa: S704  # the program's own words


def said(text: str) -> str:
    """Translate what the program itself says, as a code's sentence or a refusal; it is escaped like any text.

    What the catalogue does not know word by word is looked for by its shape; anything else stays as it is.
    """
    plain = str(text)
    known = gettext(plain)
    return known if known != plain else _by_shape(plain, locale().language)


@lru_cache(4096)
def _by_shape(text: str, language: str) -> str:
    for shape in _shapes(language) if len(text) <= LONGEST else ():
        holes = shape.holes_in(text)
        if holes is not None:
            return shape.filled({name: said(one) for name, one in holes.items()})
    return text


@cache
def _shapes(language: str) -> list[Shape]:
    place = CATALOGUES / language / "LC_MESSAGES" / "messages.mo"
    if not place.is_file():
        return []
    with place.open("rb") as file:
        return shapes_of(read_mo(file), SENTENCE)
