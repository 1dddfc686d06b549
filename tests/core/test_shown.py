"""Small things of lists, and numbers: written in each reader's language, escaped, and the same however often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask, g
from flask_babel import force_locale

from core.i18n import amount_in, exact, money, number, percent, relative
from core.money import Money
from core.shown import ident, instant
from core.words import LONGEST, gettext, lazy_gettext, locale, translated
from tests.conftest import START

Said = Callable[[], object]
LATER = START + timedelta(hours=3, microseconds=1)


def in_turn(app: Flask, said: Said) -> list[str]:
    """Ask twice in each language, so that the second answer is one that was kept."""
    answers = []
    for language in ("en", "fr", "nl") * 2:
        with app.test_request_context(), force_locale(language):
            g.now = START
            answers.append(str(said()))
    assert answers[:3] == answers[3:]
    return answers[:3]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (lambda: money(Money(-123456, "EUR")), ["-€1,234.56", "-1\u202f234,56\xa0€", "€\xa0-1.234,56"]),
        (lambda: amount_in(123456, "JPY"), ["123,456", "123\u202f456", "123.456"]),
        (lambda: amount_in(5, "EUR"), ["0.05", "0,05", "0,05"]),
        (lambda: number(1), ["1", "1", "1"]),
        (lambda: number(1.5), ["1.5", "1,5", "1,5"]),
        (lambda: percent(0.125), ["12.5%", "12,5\xa0%", "12,5%"]),
        (lambda: relative(LATER, START), ["in 3 hours", "dans 3 heures", "over 3 uur"]),
        (lambda: relative(START, LATER), ["3 hours ago", "il y a 3 heures", "3 uur geleden"]),
        (lambda: gettext("Time zone"), ["Time zone", "Fuseau horaire", "Tijdzone"]),
        (lambda: lazy_gettext("Time zone"), ["Time zone", "Fuseau horaire", "Tijdzone"]),
    ],
)
def test_what_is_kept_is_kept_for_each_language(app: Flask, said: Said, expected: list[str]) -> None:
    assert in_turn(app, said) == expected


def test_an_instant_is_written_in_utc_whatever_its_own_zone(app: Flask) -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=5)))
    assert in_turn(app, lambda: exact(elsewhere)) == in_turn(app, lambda: exact(START))
    assert in_turn(app, lambda: exact(START))[0] == "22 Nov 2026, 10:00:00 UTC"


def test_an_instant_says_how_far_off_it_is_and_more_to_whoever_points_at_it(app: Flask) -> None:
    at = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    assert in_turn(app, lambda: instant(at))[0] == (
        '<time datetime="2026-11-22T07:00:00+00:00" title="22 Nov 2026, 07:00:00 UTC">3 hours ago</time>'
    )
    assert in_turn(app, lambda: instant(None)) == ["–"] * 3


def test_an_id_is_escaped_wherever_it_stands(app: Flask) -> None:
    shown = in_turn(app, lambda: ident('<"&long>', 3))[0]
    assert shown.count("&lt;&#34;&amp;long&gt;") == 3
    assert "<code" in shown
    assert "…ng&gt;<" in shown


def test_outside_an_answer_words_are_english() -> None:
    assert (gettext("Time zone"), locale().language) == ("Time zone", "en")


def test_what_is_too_long_to_be_words_of_the_program_is_not_kept(app: Flask) -> None:
    with app.test_request_context(), force_locale("fr"):
        kept = translated.cache_info().currsize
        assert gettext("x" * (LONGEST + 1)) == "x" * (LONGEST + 1)
        assert translated.cache_info().currsize == kept


def test_words_with_a_percent_and_no_holes_stay_as_they_are(app: Flask) -> None:
    with app.test_request_context():
        assert gettext("5 % of %(all)s") == "5 % of %(all)s"
        assert gettext("All of %(all)s", all="it") == "All of it"
