"""A worker that is killed with calls in its hands loses none of them: each message arrives, under one id."""

import re
import socket
import threading

import pytest

from core.ids import show_id
from tests.at_once import wait_until
from tests.core.endpoints import answer, running
from tests.journeys.served import Sender, installation

HOLDS = "UPDATE core.deliveries SET leased_until = now() - interval '1 second' WHERE leased_until > now() RETURNING id"


def test_no_message_is_lost_when_the_worker_is_killed_while_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADBOURSE_ALLOW_PRIVATE_TARGETS", "1")
    opened = threading.Event()

    def hold(caller: socket.socket, ended: threading.Event) -> None:
        while not opened.wait(0.05) and not ended.is_set():
            pass
        caller.sendall(answer(200))

    with running(hold) as endpoint, installation() as place:
        place.start("serve")
        wait_until(place.is_ready)
        key = place.make_account("publisher")["api_key"]
        assert place.request("POST", "/api/v1/webhooks", {"url": endpoint.url}, key).status == 201
        lead = place.request("GET", "/api/v1/verticals/education", key=key).body["example"]
        with Sender(place, key, lead, "held-") as sender:
            sender.wait_for_more(10)
            wait_until(lambda: len(endpoint.heard) >= 4)
        place.process_of("worker").kill()
        opened.set()
        assert place.ask(HOLDS)  # the lease runs out, at once instead of in a minute and a half
        late = "SELECT FROM core.deliveries WHERE state <> 'delivered'"
        told = "SELECT count(*) FROM core.deliveries"
        # Shorter than the lease, which would run out by itself.
        wait_until(lambda: place.ask(told) == [(len(sender.accepted),)] and not place.ask(late), 85)
        sent = [match[1].decode() for raw in endpoint.heard if (match := re.search(rb"webhook-id: (\S+)", raw))]
        assert set(sent) == {show_id("del", row[0]) for row in place.ask("SELECT id FROM core.deliveries")}
        assert len(sent) > len(set(sent))  # what was held was sent again, under its own id
