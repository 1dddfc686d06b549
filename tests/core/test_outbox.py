"""News leaves the outbox with the job that carries it: nothing is lost, nothing is told twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from core.db import db, transaction
from core.ids import new_id
from core.notifications import write_notices
from core.outbox import BATCH, announce, relay_once


def announce_some(count: int) -> None:
    with transaction():
        for number in range(count):
            accounts = [str(new_id()), str(new_id())]
            announce(
                "notice", {"event": "e", "at": "2026-11-22T10:00:00+00:00", "accounts": accounts, "data": {"n": number}}
            )


def carried() -> list[dict[str, Any]]:
    rows = db.session.scalars(db.text("SELECT args FROM procrastinate_jobs ORDER BY id")).all()
    db.session.rollback()
    return [news for row in rows for news in row["news"]]


def left() -> int:
    count = db.session.scalar(db.text("SELECT count(*) FROM core.outbox"))
    db.session.rollback()
    return int(count or 0)


def relay() -> int:
    with transaction():
        return relay_once()


def test_news_is_carried_once_and_in_order(app: Flask) -> None:
    announce_some(7)
    assert (relay(), relay(), left()) == (7, 0, 0)
    assert [news["data"]["n"] for news in carried()] == list(range(7))


def test_a_large_outbox_leaves_in_batches(app: Flask) -> None:
    announce_some(BATCH + 1)
    assert [relay(), relay(), relay()] == [BATCH, 1, 0]


def test_a_relay_that_dies_before_its_commit_has_moved_nothing(app: Flask) -> None:
    announce_some(3)
    with pytest.raises(KeyboardInterrupt), transaction():
        relay_once()
        raise KeyboardInterrupt
    assert left() == 3 and carried() == []
    assert relay() == 3 and len(carried()) == 3


def test_relays_at_the_same_time_share_the_work(app: Flask) -> None:
    announce_some(BATCH * 2)

    def work(_: int) -> int:
        with app.app_context():
            return sum(relay() for _ in range(3))

    with ThreadPoolExecutor(3) as relays:
        assert sum(relays.map(work, range(3))) == BATCH * 2
    numbers = [news["data"]["n"] for news in carried()]
    assert sorted(numbers) == list(range(BATCH * 2))


def test_a_handler_that_runs_twice_writes_each_notice_once(app: Flask) -> None:
    announce_some(4)
    relay()
    news = carried()
    for _ in range(2):
        write_notices(news)
    assert db.session.scalar(db.text("SELECT count(*) FROM core.notices")) == 8
    write_notices([])


def test_news_of_a_transaction_that_fails_never_was(app: Flask) -> None:
    announce("notice", {"event": "e"})
    db.session.rollback()
    assert left() == 0
