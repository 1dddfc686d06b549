"""How many files of one publisher are kept, and how many are posted at a time; operators set both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.db import transaction
from core.errors import Conflict
from core.overrides import Word, say
from marketplace.leads.uploads.register import cancel_upload, save_answers, start_upload
from marketplace.resolved import REACHES
from tests.at_once import ask, wait_until
from tests.factories import Market
from tests.marketplace.test_uploads import HEADER, SAID, Desk


@pytest.fixture
def desk(market: Market) -> Desk:
    return Desk(market)


def limit(desk: Desk, key: str, value: int) -> None:
    with transaction():
        say(Word(key, "", value, 0, "as many as a test needs"), REACHES, "cli", desk.clock.now())


def begin(desk: Desk, number: int) -> None:
    desk.start([desk.row(number)], name=f"{number}.csv")


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as refused:
        act()
    return refused.value.code


def test_only_so_many_files_are_kept_and_giving_one_up_makes_room(desk: Desk, market: Market) -> None:
    limit(desk, "uploads.kept", 2)
    _, second = desk.add(HEADER + "\n" + desk.row(1)), desk.add(HEADER + "\n" + desk.row(2))
    assert code_of(lambda: desk.add(HEADER + "\n" + desk.row(3))) == "too_many_uploads"
    assert Desk(market).add(HEADER + "\n" + desk.row(4)).state == "ready", "another publisher's files are not counted"
    with transaction():
        cancel_upload(desk.id, second.id, "user:1", desk.clock.now())
    assert desk.add(HEADER + "\n" + desk.row(3)).state == "ready"


def test_only_so_many_are_posted_at_a_time_and_one_that_ended_makes_room(desk: Desk) -> None:
    limit(desk, "uploads.running", 1)
    first = desk.start([desk.row(1)])
    assert code_of(lambda: begin(desk, 2)) == "uploads_running"
    desk.end(first)
    begin(desk, 3)


def test_who_begins_at_the_same_moment_waits_and_is_refused(desk: Desk, database_url: str) -> None:
    limit(desk, "uploads.running", 1)
    first, second = (desk.add(HEADER + "\n" + desk.row(number)).id for number in range(2))
    for upload in (first, second):
        with transaction():
            save_answers(desk.id, upload, SAID, 0)

    def start() -> str:
        with desk.market.app.app_context():
            return code_of(_started)

    def _started() -> None:
        with transaction():
            start_upload(desk.id, second, 1, "user:1", desk.clock.now())

    blocked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with transaction():
            start_upload(desk.id, first, 1, "user:1", desk.clock.now())
            later = pool.submit(start)
            wait_until(lambda: later.done() or ask(database_url, blocked))
        assert later.result(60) == "uploads_running"
