"""The processes start, meet, miss their database and end as they should, together and each by itself."""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.clock import as_rfc3339
from core.config import Settings
from core.postgres import create_database, drop_database, open_database
from tests.at_once import at_once, wait_until
from tests.journeys.served import Answered, Installation, installation, told_to_end


@pytest.fixture
def place() -> Iterator[Installation]:
    """An installation with nothing running yet."""
    with installation() as made:
        yield made


@pytest.fixture
def apart(postgres: str, tmp_path: Path) -> Iterator[Installation]:
    """An installation whose database somebody else keeps, empty still."""
    made = Installation(tmp_path, create_database(postgres, "apart"))
    yield made
    made.end()
    drop_database(postgres, "apart")


def asked_again(place: Installation, method: str, path: str, body: Any, key: str) -> Answered:
    """Ask as a client does that heeds Retry-After: a web process may find once more that its connections died."""
    asked = partial(place.request, method, path, body, key, **{"Idempotency-Key": f"{method} {path}"})
    answer = asked()
    for _ in range(2):
        if answer.status == 503:
            time.sleep(int(answer.headers["retry-after"]))
            answer = asked()
    return answer


def sell_a_lead(place: Installation) -> tuple[dict[str, Any], str]:
    """Have a lead bought for 20.00 and return the answer and its publisher's key."""
    publisher, buyer = place.make_account("publisher"), place.make_account("buyer")
    place.say("account", "credit", buyer["account_id"], "50.00", "EUR", "--reason", "test")
    order = {"name": "all", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}
    assert place.request("POST", "/api/v1/orders", order, buyer["api_key"]).status == 201
    vertical = place.request("GET", "/api/v1/verticals/education", key=publisher["api_key"]).body
    answer = place.request("POST", "/api/v1/leads", vertical["example"], publisher["api_key"])
    assert (answer.status, answer.body["status"]) == (201, "sold"), answer.body
    return answer.body, publisher["api_key"]


def test_serve_ends_at_sigterm_with_status_0_and_leaves_no_process(place: Installation) -> None:
    serve = place.start("serve")
    wait_until(place.is_ready)
    family = [*psutil.Process(serve.pid).children(recursive=True), place.process_of("postmaster")]
    assert len(family) >= 6
    assert told_to_end(serve) == 0
    wait_until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family))


def test_serve_that_is_told_to_end_while_it_starts_leaves_no_process(place: Installation) -> None:
    serve = place.start("serve")
    wait_until(lambda: psutil.Process(serve.pid).children())
    family = psutil.Process(serve.pid).children(recursive=True)
    serve.send_signal(signal.SIGTERM)
    serve.wait(60)
    wait_until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family))


def test_a_second_serve_on_a_busy_port_is_refused_and_disturbs_nobody(place: Installation) -> None:
    place.start("serve")
    wait_until(place.is_ready)
    second = place.run("serve", "--port", str(place.port))
    assert second.returncode == 1
    assert f"port {place.port}" in second.stderr
    assert place.is_ready()


def test_commands_work_beside_serve_and_run_due_settles_what_will_be_due(place: Installation) -> None:
    place.start("serve")
    wait_until(place.is_ready)
    lead, key = sell_a_lead(place)
    assert place.say("run-due")["settlements"] == 0
    later = as_rfc3339(datetime.now(UTC) + timedelta(days=31))
    assert place.say("run-due", "--as-of", later)["settlements"] == 1
    assert place.say("run-due", "--as-of", later)["settlements"] == 0
    shown = place.request("GET", f"/api/v1/leads/{lead['id']}", key=key)
    assert shown.status == 200, shown.body
    assert [sale["state"] for sale in shown.body["sales"]] == ["settled"]
    assert place.run("audit").returncode == 0


def test_the_parts_run_as_separate_processes_on_a_database_of_somebody_else(apart: Installation) -> None:
    assert apart.run("db", "upgrade").returncode == 0
    parts = [apart.start(name) for name in ("web", "worker", "clock")]
    wait_until(apart.is_ready)
    sell_a_lead(apart)
    wait_until(lambda: apart.ask("SELECT FROM core.notices WHERE event = 'lead.sold' HAVING count(*) = 2"))
    wait_until(lambda: apart.ask("SELECT FROM core.ticks WHERE job = 'market.due'"))
    future = apart.run("run-due", "--as-of", as_rfc3339(datetime.now(UTC) + timedelta(days=31)))
    assert (future.returncode, "embedded" in future.stderr) == (1, True)
    assert [told_to_end(part) for part in parts] == [0, 0, 0]


def test_while_the_database_is_away_the_answer_is_503_and_afterwards_all_is_well_without_a_restart(
    place: Installation,
) -> None:
    with open_database(Settings(data_folder=place.folder)) as database:
        place.database_url = database.url
        assert place.run("db", "upgrade").returncode == 0
        web, worker = place.start("web"), place.start("worker")
        wait_until(place.is_ready)
        _, key = sell_a_lead(place)
        # One that is being handed out at that moment waits ten minutes for its rescue (tests/core/test_jobs.py).
        wait_until(lambda: place.ask("SELECT FROM core.notices WHERE event = 'lead.sold' HAVING count(*) = 2"))
        database.stop()  # type: ignore[attr-defined]
        asked: list[tuple[str, str, Any]] = [
            ("POST", "/api/v1/leads", {}), ("GET", "/api/v1/leads", None), ("GET", "/health/ready", None),
            ("POST", "/api/v1/keys", {"name": "k"}), ("GET", "/api/v1/balance", None),
        ]  # fmt: skip
        for answer in at_once([partial(place.request, *one, key) for one in asked]):
            assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json"), answer.body
            assert int(answer.headers["retry-after"]) > 0
        assert place.request("GET", "/health/live").status == 200
        database.ensure_running()
        wait_until(place.is_ready)
        shown = asked_again(place, "GET", "/api/v1/verticals/education", None, key)
        new = shown.body["example"] | {"contact": {"first_name": "Ada", "email": "after@example.com"}}
        posted = asked_again(place, "POST", "/api/v1/leads", new, key)
        assert (posted.status, posted.body["status"]) == (201, "sold"), posted.body
        assert (web.poll(), worker.poll()) == (None, None)
        wait_until(lambda: place.ask("SELECT FROM core.notices WHERE event = 'lead.sold' HAVING count(*) = 4"))
        assert [told_to_end(web), told_to_end(worker)] == [0, 0]
