"""Every decision of a simulated day is run again and gives the same bytes."""

from collections import Counter

from flask import Flask

from core.db import transaction
from marketplace.leads.replay import replay
from tests.at_once import ask
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
