"""Operators say otherwise than the defaults within the limits, kept with who and why, and it governs what is decided."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy.exc import DBAPIError

from core.db import db, transaction
from core.defaults import defaults
from core.errors import Conflict, Invalid, NotFound
from core.overrides import Word, overrides, say, words_on
from marketplace.cli import leadbourse
from marketplace.jobs import run_due
from marketplace.resolved import REACHES
from tests.conftest import SetClock
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = "contact.request_minutes"


def said(key: str, value: Any, country: str = "", seen: int = 0) -> None:
    """Say otherwise, committed."""
    with transaction():
        say(Word(key, country, value, seen, "a test"), REACHES, "cli", AT)


def keep(visitor: Visitor, key: str = KEY, **fields: str) -> str:
    """Send the form of a setting and return what the page says; empty when it was kept."""
    path = f"/operator/settings/{key}"
    seen = str(visitor.read(path).xpath("//input[@name='seen']/@value")[0])
    answer = visitor.send(path, **({"seen": seen, "reason": "a test", "country": ""} | fields))
    return "" if answer.status_code == 302 else words_of(answer)


def minutes_due(market: Market) -> list[float]:
    """Return after how many minutes each sale's first contact is due, the newest last."""
    found = db.session.scalars(
        db.text("SELECT extract(epoch FROM due_at - delivered_at) / 60 FROM marketplace.sale_contacts ORDER BY sale_id")
    ).all()
    db.session.rollback()
    return [float(one) for one in found]


def test_what_is_said_governs_the_clocks_that_start_afterwards(deal: Deal, market: Market, clock: SetClock) -> None:
    publisher, now = deal.publisher, clock.now
    visitor = visitor_of(market, deal.operator)
    run_due(now())
    before = minutes_due(market)
    for fields in ({"value": "4"}, {"value": "3", "country": "fr"}):
        assert keep(visitor, **fields) == ""
        publisher.post("/leads", market.lead(interest="request"))
        run_due(now())
    publisher.post("/leads", market.lead(interest="request", region="BE-BRU"))
    run_due(now())
    assert minutes_due(market)[len(before) :] == [4, 3, 4]
    page = words_of(visitor.open(f"/operator/settings/{KEY}"))
    assert f"{KEY}: 4 minutes" in page
    assert "FR: 3 minutes" in page and "a person, …" in page and "a test" in page
    assert "Set otherwise than shipped: 1" in words_of(visitor.open("/operator/settings"))


def test_what_was_said_is_taken_back(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    assert keep(visitor, value="4") == "" and keep(visitor, value="") == ""
    assert "All stand as shipped" in words_of(visitor.open("/operator/settings"))
    assert [one.value for one in words_on(KEY)] == [None, 4]
    db.session.rollback()


def test_a_new_order_begins_with_what_the_operator_says(deal: Deal, market: Market) -> None:
    said("new_order.day_leads", 7)
    page = visitor_of(market, deal.buyer).read("/buyer/orders/new?vertical=education")
    assert page.xpath("//input[@name='day-cap']/@value") == ["7"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [({"value": "many"}, "Give a whole number, in minutes"), ({"value": "-1"}, "Give a whole number"),
     ({"value": "1.5"}, "Give a whole number"), ({"value": "9" * 14}, "Send a number from"),
     ({"value": "0"}, "Send a number from"), ({"value": "4", "reason": " "}, "Say why"),
     ({"value": "4", "reason": "x" * 1001}, "at most 1000"), ({"value": "4", "country": "XX"}, "Give the two letters"),
     ({"value": "4", "country": "FR-IDF"}, "Give the two letters"),
     ({"value": "600", "country": "FR"}, "Send at most"), ({"value": "4", "seen": "9"}, "Somebody said something else"),
     ({"value": "4", "seen": "²"}, "Somebody said something else")],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_and_stays_typed(
    deal: Deal, market: Market, fields: dict[str, str], fault: str
) -> None:
    page = keep(visitor_of(market, deal.operator), **fields)
    assert fault in page, page
    assert overrides().exchange == {} and overrides().countries == {}
    db.session.rollback()


def test_a_setting_that_nothing_reads_anew_takes_no_word(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    for row in defaults().rows():
        if "exchange" not in REACHES[row.key].levels:
            with pytest.raises(Invalid) as refusal:
                said(row.key, row.value)
            assert [one.code for one in refusal.value.faults] == ["not_resolved"]
    page = visitor.read("/operator/settings/breaker.minutes")
    assert "built into the program" in page.text_content() and not page.xpath("//input[@name='value']")
    answer = visitor.send("/operator/settings/breaker.minutes", "/account", value="60", reason="x", seen="0")
    assert "built into the program" in words_of(answer)
    for wrong in ("no.such", "%00", "x" * 200):
        assert visitor.open(f"/operator/settings/{wrong}").status_code == 404
    with pytest.raises(NotFound):
        said("no.such", 1)


def test_a_country_says_nothing_on_what_is_the_whole_exchanges(app: Flask) -> None:
    with pytest.raises(Invalid) as refusal:
        said("contact.left_alone_bp", 2000, "FR")
    assert [one.code for one in refusal.value.faults] == ["not_settable_here"]


def test_a_country_never_loosens_what_the_exchange_tightened(app: Flask) -> None:
    said(KEY, 3)
    with pytest.raises(Invalid) as refusal:
        said(KEY, 4, "FR", 1)
    assert [one.code for one in refusal.value.faults] == ["setting_loosened"]


def test_the_same_word_again_changes_nothing(app: Flask) -> None:
    said(KEY, 3)
    said(KEY, 3)
    assert len(words_on(KEY)) == 1
    db.session.rollback()


def test_of_words_said_at_once_one_is_kept(app: Flask) -> None:
    def speak(value: int) -> bool:
        with app.app_context():
            try:
                said(KEY, value)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(4) as people:
        assert sum(people.map(speak, (1, 2, 3, 4))) == 1
    assert len(words_on(KEY)) == 1
    db.session.rollback()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE core.overrides SET value = '1'", "DELETE FROM core.overrides",
     "INSERT INTO core.overrides VALUES ('a.b', 1, 'france', '1', 'x', 'y', now())",
     "INSERT INTO core.overrides VALUES ('a.b', 1, '', '\"x\"', 'x', 'y', now())",
     "INSERT INTO core.overrides VALUES ('a.b', 1, '', '1', 'x', ' ', now())"],
)  # fmt: skip
def test_the_database_keeps_what_was_said(app: Flask, statement: str) -> None:
    said(KEY, 3)
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(db.text(statement))


def test_the_command_prints_what_holds_and_who_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    said(KEY, 3)
    said(KEY, 2, "FR", 1)
    monkeypatch.setattr("marketplace.cli.running.running_app", app.app_context)
    lines = CliRunner().invoke(leadbourse, ["defaults", "--effective"]).output.splitlines()
    [line] = [one for one in lines if KEY in one]
    assert line.split(maxsplit=1)[1].split("  ")[0] == "3 minutes"
    assert line.endswith("said by an operator; shipped 5 minutes; 2 minutes in FR")
    [shipped] = [one for one in lines if "margin.least_minor" in one]
    assert shipped.endswith("shipped")
