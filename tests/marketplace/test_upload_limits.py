"""How many files of one publisher are kept, and how many are posted at a time; operators set both."""

from collections.abc import Callable

import pytest

from core.db import transaction
from core.errors import Conflict
from core.overrides import Word, say
from marketplace.leads.uploads.register import cancel_upload, save_answers, start_upload
from marketplace.resolved import RESOLVED
from tests.at_once import at_once
from tests.factories import Market
from tests.marketplace.test_uploads import HEADER, SAID, Desk


@pytest.fixture
def desk(market: Market) -> Desk:
    return Desk(market)


def limit(desk: Desk, key: str, value: int) -> None:
    with transaction():
        say(Word(key, "", value, 0, "as many as a test needs"), RESOLVED, "cli", desk.clock.now())


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


def test_of_many_who_begin_at_once_no_more_begin_than_may(desk: Desk) -> None:
    limit(desk, "uploads.running", 2)
    uploads = [desk.add(HEADER + "\n" + desk.row(number)) for number in range(6)]
    for upload in uploads:
        with transaction():
            save_answers(desk.id, upload.id, SAID, 0)

    def start(number: int) -> str:
        with desk.market.app.app_context():
            try:
                with transaction():
                    return start_upload(desk.id, uploads[number].id, 1, "user:1", desk.clock.now()).state
            except Conflict as refused:
                return refused.code

    assert sorted(at_once([lambda number=number: start(number) for number in range(6)])) == [  # type: ignore[misc]
        "running", "running", *["uploads_running"] * 4]  # fmt: skip
