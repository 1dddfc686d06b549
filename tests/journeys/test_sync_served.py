"""Buyers asked inside a publisher's call, and senders who are slow: nobody else waits, and nothing is lost with a process."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from tests.at_once import wait_until
from tests.core.endpoints import answer, answers, running
from tests.journeys.served import Answered, Installation, installation, told_to_end

RUN_OUT = """
    UPDATE marketplace.deliveries SET lease_until = now() - interval '1 second' WHERE state = 'in_hand'
    RETURNING sale_id"""
ON_THE_WAY = """
    SELECT sale_id FROM marketplace.deliveries
    WHERE ended_at IS NULL OR state IN ('refused', 'failed') AND NOT passed_on"""
STATUSES = "SELECT status FROM marketplace.leads"


class Gate:
    """An endpoint that answers when it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, caller: socket.socket, ended: threading.Event) -> None:
        while not self.opened.wait(0.05) and not ended.is_set():
            pass
        with suppress(OSError):  # who called may have been killed
            caller.sendall(answer(200, b'{"redirect_url": "https://buyer.example/"}'))


class Scene:
    """An installation that serves, with a publisher whose leads two regions' buyers want."""

    def __init__(self, place: Installation) -> None:
        self.place = place
        self.publisher = place.make_account("publisher")["api_key"]
        path = "/api/v1/verticals/education"
        self.example: dict[str, Any] = place.request("GET", path, key=self.publisher).body["example"]
        self.buyers = 0

    def order(self, price: str, region: str, delivery: dict[str, Any]) -> None:
        """Make a buyer with an order."""
        self.buyers += 1
        buyer = self.place.make_account("buyer", self.buyers)
        self.place.say("account", "credit", buyer["account_id"], "10000.00", "EUR", "--reason", "for a test")
        order = {"name": "n", "vertical": "education", "price": {"amount": price, "currency": "EUR"},
                 "regions": [region], "delivery": delivery}  # fmt: skip
        made = self.place.request("POST", "/api/v1/orders", order, buyer["api_key"])
        assert made.status == 201, made.body

    def post(self, name: str, region: str, **headers: str) -> Answered:
        """Post a lead of somebody with this name."""
        lead = self.example | {"region": region, "contact": {"first_name": "Ada", "email": f"{name}@example.com"}}
        return self.place.request("POST", "/api/v1/leads", lead, self.publisher, **headers)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("LEADBOURSE_ALLOW_PRIVATE_TARGETS", "1")
    with installation() as place:
        place.start("serve")
        wait_until(place.is_ready)
        yield Scene(place)


def test_buyers_who_take_their_time_and_senders_who_stop_in_a_body_keep_nobody_else_waiting(scene: Scene) -> None:
    gate = Gate()
    with running(gate) as slow, ThreadPoolExecutor(30) as pool:
        scene.order("30.00", "FR-IDF", {"kind": "webhook", "url": slow.url, "mode": "sync", "timeout_seconds": 60})
        scene.order("20.00", "FR-BRE", {"kind": "none"})
        assert scene.post("first", "FR-BRE").status == 201
        waiting = [pool.submit(scene.post, f"slow{number}", "FR-IDF") for number in range(30)]
        wait_until(lambda: len(slow.heard) >= 16)
        stopped = [_half_a_lead(scene) for _ in range(30)]
        said = Counter(scene.post(f"quick{number}", "FR-BRE").body["status"] for number in range(100))
        still = sum(not each.done() for each in waiting)
        gate.opened.set()
        ends = Counter(str(each.result().body.get("code", each.result().body["status"])) for each in waiting)
        for each in stopped:
            each.close()
    assert said == {"sold": 100}
    assert still >= 16  # the endpoint was silent all the while
    assert ends["sold"] + ends["pending"] == 30, ends
    wait_until(lambda: not scene.place.ask(ON_THE_WAY))
    assert Counter(status for (status,) in scene.place.ask(STATUSES)) == {"sold": 131}
    assert told_to_end(scene.place.running[0]) == 0
    assert scene.place.run("audit").returncode == 0


def _half_a_lead(scene: Scene) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", scene.place.port))
    head = (
        "POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {scene.publisher}\r\nContent-Length: 1000\r\n\r\n"
    )
    caller.sendall(head.encode() + b'{"vertical": ')
    return caller


def test_a_web_process_that_is_killed_during_the_call_leaves_the_lead_at_exactly_one_buyer(scene: Scene) -> None:
    gate = Gate()
    with running(gate) as slow, running(answers(200, b"")) as other:
        scene.order("30.00", "FR-IDF", {"kind": "webhook", "url": slow.url, "mode": "sync"})
        scene.order("20.00", "FR-IDF", {"kind": "webhook", "url": other.url, "mode": "sync"})
        with ThreadPoolExecutor(6) as pool:
            keys = [{"Idempotency-Key": f"k-{number}"} for number in range(6)]
            posts = [pool.submit(scene.post, f"ada{number}", "FR-IDF", **key) for number, key in enumerate(keys)]
            wait_until(lambda: len(slow.heard) == 6)
            scene.place.process_of("web").kill()  # the supervisor takes what it left behind along
            broken = [each for each in posts if isinstance(each.exception(60), OSError)]
        assert len(broken) == 6
        wait_until(scene.place.is_ready)
        assert scene.post("ada0", "FR-IDF", **keys[0]).body["code"] == "idempotency_in_progress"
        assert len(slow.heard) == 6 and other.heard == []  # the leases still run
        gate.opened.set()
        scene.place.ask(RUN_OUT)
        wait_until(lambda: not scene.place.ask(ON_THE_WAY))
        scene.place.ask("UPDATE core.idempotency SET answered_at = answered_at - interval '1 minute' RETURNING 1")
        again = [scene.post(f"ada{number}", "FR-IDF", **key) for number, key in enumerate(keys)]
    assert Counter((each.status, each.body["status"]) for each in again) == {(201, "sold"): 6}
    assert {each.body["redirect_url"] for each in again} == {"https://buyer.example/"}
    sales = scene.place.ask("SELECT lead_id, count(*) FROM marketplace.sales WHERE state = 'delivered' GROUP BY 1")
    assert [count for _, count in sales] == [1] * 6
    assert scene.place.run("audit").returncode == 0
