"""Every decision of a simulated day is run again and gives the same bytes."""

import json
import os
import subprocess
from collections import Counter

from flask import Flask

from core.db import transaction
from core.ids import show_id
from marketplace.leads.replay import replay
from tests.at_once import ask
from tests.command_line import run_program
from tests.conftest import SetClock
from tests.factories import Market
from tests.marketplace.what_if.day import live_a_day


def test_every_decision_of_a_day_replays_to_the_same_bytes(
    app: Flask, market: Market, clock: SetClock, database_url: str
) -> None:
    live_a_day(app, market, clock, leads=160)
    leads = ask(database_url, "SELECT id, decision FROM marketplace.leads ORDER BY received_at")
    words = Counter(one[2] for _, decision in leads for one in decision["tried"])
    assert words.keys() >= {"sold", "outbid", "capped", "no_funds", "share_full", "below_min"}
    with transaction():
        found = {lead: replay(lead) for lead, _ in leads}
    differ = [(one.stored, one.again) for one in found.values() if not one.is_same]
    assert len(found) == 160 and differ == []


def test_the_command_ends_with_one_line_and_names_the_first_byte_that_differs(
    app: Flask, market: Market, clock: SetClock, database_url: str
) -> None:
    publisher = market.make_publisher()
    market.make_order(market.make_buyer())
    for _ in range(3):
        clock.advance(minutes=1)
        publisher.post("/leads", market.lead())

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return run_program("replay", *more, environment=os.environ | {"DATABASE_URL": database_url})

    done = run("--day", "2026-11-22")
    assert (done.returncode, json.loads(done.stdout)["same"]) == (0, 3)
    assert "3 decisions run again: 3 came out the same to the byte, 0 otherwise." in done.stderr
    [[lead]] = ask(database_url, "SELECT id FROM marketplace.leads ORDER BY received_at LIMIT 1")
    tamper = f"UPDATE marketplace.leads SET decision = replace(decision::text, 'sold\"]', 'capped\"]')::json WHERE id = '{lead}'"
    ask(database_url, "SELECT", first=tamper)
    done = run("--day", "2026-11-22")
    [differing] = json.loads(done.stdout)["differ"]
    assert (done.returncode, differing["lead"]) == (1, show_id("lead", lead))
    stored, again = differing["stored"], differing["again"]
    assert stored[: differing["byte"]] == again[: differing["byte"]] and stored != again
    assert f"{differing['lead']} differs from byte {differing['byte']} on" in done.stderr
    assert run(show_id("lead", lead)).returncode == 1 and run("lead_01h455vb4pex5vsknk084sn02q").returncode == 1
