"""The demonstration as a newcomer starts it: filled in, alive, ended by Ctrl-C, and going on where it was."""

import json
import signal
import socket
from collections.abc import Iterator

import pytest

from marketplace.demo.settling import LOGINS
from tests.at_once import wait_until
from tests.journeys.served import Installation, installation


@pytest.fixture
def place() -> Iterator[Installation]:
    with installation() as made:
        yield made


def end(place: Installation) -> int:
    """Press Ctrl-C and return the exit status; how long that takes is the machine's affair here."""
    process = place.running[-1]
    process.send_signal(signal.SIGINT)
    return process.wait(200)


def start(place: Installation) -> str:
    """Start a small, quick market and return the publisher's key once the service is ready."""
    place.start("demo", "--days", "1", "--scale", "0.05", "--rate", "600")
    wait_until(place.is_ready)
    noted = json.loads((place.folder / "demo" / "state.json").read_text())
    return str(noted["members"]["Studiekiezer"]["api_key"])


def leads(place: Installation) -> int:
    return int(place.ask("SELECT count(*) FROM marketplace.leads")[0][0])


def seen_first(place: Installation) -> dict[str, str]:
    """Tell which account each of those who sign in sees first, the oldest of theirs."""
    query = """SELECT DISTINCT ON (u.email) a.name, u.email FROM core.users u JOIN core.memberships m ON m.user_id = u.id
               JOIN core.accounts a ON a.id = m.account_id ORDER BY u.email, a.id"""
    return dict(place.ask(query))


def test_a_newcomers_market_lives_ends_and_goes_on(place: Installation) -> None:
    key = start(place)
    before = leads(place)
    assert before > 20
    assert seen_first(place) == LOGINS, "the accounts whose keys are said"

    wait_until(lambda: leads(place) > before)
    example = place.request("GET", "/api/v1/verticals/education", key=key).body["example"]
    posted = place.request("POST", "/api/v1/leads", example, key).body
    assert posted["status"] == "sold"
    assert place.request("POST", "/api/v1/leads", example, key).body["reasons"] == ["duplicate"]

    assert end(place) == 0
    stood = place.say("time")
    assert stood["rate"] < 1e-6
    assert place.run("audit").returncode == 0

    assert start(place) == key
    assert place.say("time")["now"] >= stood["now"]
    assert end(place) == 0
    figures = place.say("demo", "--report")
    assert {each["name"] for each in figures["figures"]} >= {"sold_percent", "turnover_weekday_eur"}


def test_what_was_cut_short_is_said_and_made_anew(place: Installation) -> None:
    cut = place.start("demo", "--days", "2", "--scale", "0.2", "--rate", "600")
    labels = place.folder / "demo" / "labels.ndjson"
    wait_until(lambda: labels.is_file() and labels.stat().st_size > 0)
    cut.kill()
    cut.wait()

    start(place)

    assert "cut short while it was filled in; beginning anew" in (place.folder / "log").read_text()
    assert end(place) == 0
    assert place.run("audit").returncode == 0


def test_a_port_that_is_taken_is_said_before_anything_is_filled_in(place: Installation) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        refused = place.run("demo", "--days", "1", "--scale", "0.05")

    assert refused.returncode == 1 and f"port {place.port}" in refused.stderr and "PORT" in refused.stderr
    assert not (place.folder / "demo" / "state.json").exists()


def test_nobody_elses_folder_is_touched(place: Installation) -> None:
    place.make_account("publisher")

    refused = place.run("demo", "--days", "0", "--scale", "0.01")

    assert refused.returncode == 1 and "did not make" in refused.stderr
    assert place.ask("SELECT count(*) FROM core.accounts") == [(1,)]
