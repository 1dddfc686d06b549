"""A worker that is killed with leads in its hands: each ends at exactly one exclusive buyer, and each hold ends once."""

import itertools
import socket
import threading

import pytest

from tests.at_once import wait_until
from tests.core.endpoints import answer, answers, running
from tests.journeys.served import Installation, Sender, installation

RUN_OUT = """
    UPDATE marketplace.deliveries SET lease_until = now() - interval '1 second' WHERE state = 'in_hand'
    RETURNING sale_id"""
ON_THE_WAY = """
    SELECT sale_id FROM marketplace.deliveries
    WHERE ended_at IS NULL OR state IN ('refused', 'failed') AND NOT passed_on"""
BUYERS_PER_LEAD = """
    SELECT l.id, count(s.id) FILTER (WHERE s.state = 'delivered'), count(s.id) FILTER (WHERE s.state <> 'refused')
    FROM marketplace.leads l JOIN marketplace.sales s ON s.lead_id = l.id GROUP BY l.id"""
UNDER_WAY = "SELECT sale_id FROM marketplace.deliveries WHERE state = 'in_hand'"


def make_order(place: Installation, number: int, price: str, url: str) -> None:
    buyer = place.make_account("buyer", number)
    place.say("account", "credit", buyer["account_id"], "10000.00", "EUR", "--reason", "for a test")
    order = {
        "name": "an order", "vertical": "education", "price": {"amount": price, "currency": "EUR"},
        "delivery": {"kind": "webhook", "url": url},
    }  # fmt: skip
    assert place.request("POST", "/api/v1/orders", order, buyer["api_key"]).status == 201


def test_every_lead_ends_at_one_buyer_though_the_worker_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADBOURSE_ALLOW_PRIVATE_TARGETS", "1")
    opened, numbers = threading.Event(), itertools.count()

    def fickle(caller: socket.socket, ended: threading.Event) -> None:
        number = next(numbers)
        if number % 3 == 0:
            while not opened.wait(0.05) and not ended.is_set():
                pass
        caller.sendall(answer(200, b'{"accepted": false}' if number % 3 == 1 else b""))

    with running(fickle) as first, running(answers(200, b"")) as second, installation() as place:
        place.start("serve")
        wait_until(place.is_ready, 90)
        publisher = place.make_account("publisher")
        make_order(place, 1, "30.00", first.url)
        make_order(place, 2, "20.00", second.url)
        lead = place.request("GET", "/api/v1/verticals/education", key=publisher["api_key"]).body["example"]
        with Sender(place, publisher["api_key"], lead, "lead-") as sender:
            sender.wait_for_more(30)
            wait_until(lambda: place.ask(UNDER_WAY))
        place.process_of("worker").kill()
        opened.set()
        place.ask(RUN_OUT)  # the leases run out, at once instead of in a minute and a half
        wait_until(lambda: not place.ask(ON_THE_WAY), 120)
        ends = place.ask(BUYERS_PER_LEAD)
        assert len(ends) == len(sender.accepted)
        assert {counts[1:] for counts in ends} == {(1, 1)}
        assert place.run("audit").returncode == 0
