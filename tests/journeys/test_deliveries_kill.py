"""Endpoints that refuse, time out, die and come back, and a worker that is killed with leads in its hands.

Each lead ends at exactly one exclusive buyer, each hold ends once, no attempt is lost. How many leads is told by
LEADBOURSE_JOURNEY_LEADS: few by default, a thousand for the whole story.
"""

import logging
import os
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

from core.ids import show_id
from tests.at_once import wait_until
from tests.journeys.fickle import TIMEOUT_SECONDS, Fickle, fickle
from tests.journeys.served import Installation, installation

# The first dies while the second is in two minds, the other way round, and both come back.
MOODS_IN_TURN = (("mixed", "mixed"), ("dead", "mixed"), ("mixed", "dead"), ("well", "well"), ("mixed", "well"))
log = logging.getLogger(__name__)

LEADS = int(os.environ.get("LEADBOURSE_JOURNEY_LEADS", "60"))
# Time passes: leases of the dead run out, pauses end, and what is to be tried again later is due.
RUN_OUT = """
    UPDATE marketplace.deliveries SET lease_until = now() - interval '1 second' WHERE state = 'in_hand'
    RETURNING sale_id"""
PAUSES_END = "UPDATE marketplace.endpoints SET probe_at = now() WHERE state = 'open' RETURNING id"
ALL_DUE = "UPDATE marketplace.deliveries SET next_attempt_at = now() WHERE state = 'waiting' RETURNING sale_id"
ON_THE_WAY = """
    SELECT sale_id FROM marketplace.deliveries
    WHERE ended_at IS NULL OR state IN ('refused', 'failed') AND NOT passed_on"""
UNTRIED = "SELECT sale_id FROM marketplace.deliveries WHERE state = 'waiting' AND attempts = 0"
UNDER_WAY = "SELECT sale_id FROM marketplace.deliveries WHERE state = 'in_hand'"
ENDS = """
    SELECT l.id, l.status, count(s.id) FILTER (WHERE s.state = 'delivered'),
        count(s.id) FILTER (WHERE s.state NOT IN ('delivered', 'refused', 'failed'))
    FROM marketplace.leads l LEFT JOIN marketplace.sales s ON s.lead_id = l.id GROUP BY l.id"""
ATTEMPTS = "SELECT sale_id, count(*) FROM marketplace.delivery_attempts GROUP BY sale_id"
RESOLVED = """
    SELECT s.state, count(h.id), count(r.hold_id), count(DISTINCT r.hold_id) FROM marketplace.sales s
    JOIN billing.holds h ON h.id = s.id LEFT JOIN billing.hold_resolutions r ON r.hold_id = h.id GROUP BY s.state"""
MOVES = "SELECT move, count(*) FROM marketplace.events WHERE actor = 'system:breaker' GROUP BY move ORDER BY move"
STATES = """
    SELECT o.terms ->> 'name', s.state, count(*) FROM marketplace.sales s
    JOIN marketplace.orders o ON o.id = s.order_id GROUP BY 1, 2 ORDER BY 1, 2"""


def make_order(place: Installation, number: int, price: str, endpoint: Fickle) -> None:
    buyer = place.make_account("buyer", number)
    place.say("account", "credit", buyer["account_id"], "90000.00", "EUR", "--reason", "for a test")
    order = {
        "name": f"order {number}", "vertical": "education", "price": {"amount": price, "currency": "EUR"},
        "delivery": {"kind": "http", "url": endpoint.url, "timeout_seconds": TIMEOUT_SECONDS,
                     "fields": {"sale": "sale_id", "lead": "lead_id"}},
    }  # fmt: skip
    assert place.request("POST", "/api/v1/orders", order, buyer["api_key"]).status == 201


class Poster:
    """Posts leads of different people, each of which must be taken; now and then time passes."""

    def __init__(self, place: Installation, key: str, lead: dict[str, Any]) -> None:
        self._place, self._key, self._lead = place, key, lead
        self.number = 0

    def some(self, many: int) -> None:
        """Post so many."""
        for _ in range(many):
            self.number += 1
            person = {"first_name": "Ada", "email": f"person{self.number}@example.com"}
            answer = self._place.request("POST", "/api/v1/leads", self._lead | {"contact": person}, self._key)
            assert (answer.status, answer.body["status"]) == (201, "sold")
            if self.number % 15 == 0:
                let_time_pass(self._place)


def kill_worker(place: Installation, with_leads_in_hand: bool) -> None:
    if with_leads_in_hand:
        wait_until(lambda: place.ask(UNDER_WAY))
    wait_until(lambda: has_worker(place))  # the one killed before is replaced in a moment
    place.process_of("worker").kill()
    place.ask(RUN_OUT)


def has_worker(place: Installation) -> bool:
    with suppress(StopIteration, psutil.Error):
        return bool(place.process_of("worker").is_running())
    return False


def let_time_pass(place: Installation) -> None:
    for query in (PAUSES_END, ALL_DUE):
        place.ask(query)


def is_all_over(place: Installation) -> bool:
    let_time_pass(place)
    return not place.ask(ON_THE_WAY)


@pytest.mark.timeout(900 + LEADS)
def test_every_lead_ends_at_one_buyer_whatever_endpoints_and_workers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADBOURSE_ALLOW_PRIVATE_TARGETS", "1")
    began = time.monotonic()
    with fickle() as first, fickle() as second, fickle() as third, installation() as place:
        place.start("serve")
        wait_until(place.is_ready)
        publisher = place.make_account("publisher")
        for number, price, endpoint in ((1, "30.00", first), (2, "25.00", second), (3, "20.00", third)):
            make_order(place, number, price, endpoint)
        lead = place.request("GET", "/api/v1/verticals/education", key=publisher["api_key"]).body["example"]
        post = Poster(place, publisher["api_key"], lead)
        for turn, (first.mood, second.mood) in enumerate(MOODS_IN_TURN):
            post.some(LEADS // 10)
            if LEADS > 100 or turn in (0, 3):
                kill_worker(place, with_leads_in_hand="mixed" in (first.mood, second.mood))
            post.some(LEADS // 10)
            wait_until(lambda: not place.ask(UNTRIED))
        first.mood = second.mood = "well"
        wait_until(lambda: is_all_over(place), 300 + LEADS)
        told = {"leads": post.number, "states": place.ask(STATES), "breaker": place.ask(MOVES)}
        heard = {name: (sum(each.heard.values()), len(each.taken)) for name, each in
                 (("first", first), ("second", second), ("third", third))}  # fmt: skip
        twice = len(first.taken & second.taken) + len((first.taken | second.taken) & third.taken)
        log.info("%s %s %s", told, heard, {"said yes by two": twice, "seconds": round(time.monotonic() - began)})
        assert {end[1:] for end in place.ask(ENDS)} == {("sold", 1, 0)}
        assert len(place.ask(ENDS)) == post.number
        assert_no_attempt_is_lost(place, first, second, third)
        for state, held, resolutions, resolved in place.ask(RESOLVED):
            assert (held if state in ("refused", "failed") else 0) == resolutions == resolved
        assert place.run("audit").returncode == 0


def assert_no_attempt_is_lost(place: Installation, *endpoints: Fickle) -> None:
    """What an endpoint has heard stands in the log, also what was under way when a worker was killed."""
    logged = {show_id("sale", sale): attempts for sale, attempts in place.ask(ATTEMPTS)}
    for endpoint in endpoints:
        assert [sale for sale, times in endpoint.heard.items() if times > logged.get(sale, 0)] == []
