"""Whatever is killed while leads come in, every lead that was answered 201 is there, and the service goes on by itself."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import psycopg
import pytest

from core.config import Settings
from core.postgres import open_database
from tests.at_once import wait_until
from tests.journeys.served import Installation, Sender, installation

SILENT = "UPDATE public.procrastinate_workers SET last_heartbeat = now() - interval '1 hour' RETURNING id"


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    """A served exchange with a publisher, and a buyer who can pay for some of what comes."""
    with installation() as made:
        made.start("serve")
        wait_until(made.is_ready)
        yield made


@pytest.fixture(scope="module")
def publisher(place: Installation) -> dict[str, str]:
    return place.make_account("publisher")


@pytest.fixture(scope="module")
def lead(place: Installation, publisher: dict[str, str]) -> dict[str, Any]:
    buyer = place.make_account("buyer")
    place.say("account", "credit", buyer["account_id"], "5000.00", "EUR", "--reason", "test")
    body = {"name": "all", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}
    assert place.request("POST", "/api/v1/orders", body, buyer["api_key"]).status == 201
    example: dict[str, Any] = place.request("GET", "/api/v1/verticals/education", key=publisher["api_key"]).body[
        "example"
    ]
    return example


@pytest.mark.parametrize("victim", ["granian worker", "web", "worker", "clock", "postmaster"])
def test_what_was_answered_201_outlives_the_sudden_death_of(
    place: Installation, publisher: dict[str, str], lead: dict[str, Any], victim: str
) -> None:
    name = victim.replace(" ", "-")
    with ExitStack() as senders:
        posting = [senders.enter_context(Sender(place, publisher["api_key"], lead, f"{name}-{n}-")) for n in range(4)]
        for _ in range(2):
            posting[0].wait_for_more(15)
            killed = place.process_of(victim)
            killed.kill()
            wait_until(lambda killed=killed: not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE)
            for sender in posting:
                sender.wait_for_more(10)
            wait_until(place.is_ready)
    for sender in posting:
        assert {answer.status for answer in sender.refused} <= {503}
        assert all("retry-after" in answer.headers for answer in sender.refused)
        for lead_id, answer in sender.accepted.items():
            stored = place.request("GET", f"/api/v1/leads/{lead_id}", key=publisher["api_key"]).body
            assert (stored["status"], stored["sales"]) == (answer["status"], answer["sales"])
    assert place.run("audit").returncode == 0
    assert_all_news_is_told_once(place)


def test_news_that_a_killed_worker_had_in_its_hands_is_told_by_the_next(
    place: Installation, publisher: dict[str, str], lead: dict[str, Any]
) -> None:
    doing = "SELECT FROM public.procrastinate_jobs WHERE status = 'doing' AND task_name = 'notice'"
    with open_database(Settings(data_folder=place.folder)) as database, psycopg.connect(database.url) as connection:
        connection.execute("LOCK TABLE core.notices IN EXCLUSIVE MODE")  # so that the job cannot end
        with Sender(place, publisher["api_key"], lead, "handed-") as sender:
            sender.wait_for_more(5)
        wait_until(lambda: place.ask(doing))
        place.process_of("worker").kill()
    place.ask(SILENT)  # at once instead of in twenty seconds
    assert_all_news_is_told_once(place)


def assert_all_news_is_told_once(place: Installation) -> None:
    wait_until(lambda: place.ask("SELECT count(*) FROM core.outbox") == [(0,)])
    untold = """
        SELECT l.id FROM marketplace.leads l LEFT JOIN core.notices n
        ON n.account_id = l.publisher_id AND n.payload ->> 'lead' = l.id::text
        GROUP BY l.id HAVING count(n.outbox_id) <> 1"""
    wait_until(lambda: not place.ask(untold))


def test_a_hundred_posts_survive_the_death_of_everything_at_once(
    place: Installation, publisher: dict[str, str], lead: dict[str, Any]
) -> None:
    with Sender(place, publisher["api_key"], lead, "everything-") as sender:
        sender.wait_for_more(50)
        victims = [place.process_of(name) for name in ("granian worker", "web", "worker", "clock", "postmaster")]
        for thread in [threading.Thread(target=victim.kill) for victim in victims]:
            thread.start()
        sender.wait_for_more(50)
    for lead_id, answer in sender.accepted.items():
        stored = place.request("GET", f"/api/v1/leads/{lead_id}", key=publisher["api_key"]).body
        assert (stored["status"], stored["sales"]) == (answer["status"], answer["sales"])
    assert place.run("audit").returncode == 0
    assert_all_news_is_told_once(place)
