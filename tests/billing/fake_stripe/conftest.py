"""A fake for each test, the watched client, a browser's post, and somebody who takes webhooks."""

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from billing.fake_stripe import FakeStripe, running_fake
from tests.billing.fake_stripe.referee import check_event, client


@dataclass
class Inbox:
    """Takes webhooks; each is verified by the real client's own function and held against Stripe's document."""

    url: str = ""
    secret: str = ""
    refuses: int = 0
    events: list[Any] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def take(self, payload: bytes, signature: str) -> int:
        with self.came:
            if self.refuses:
                self.refuses -= 1
                return 503
            try:
                event = stripe.Webhook.construct_event(payload, signature, self.secret)
                check_event(event.to_dict())
            except (ValueError, AssertionError, stripe.SignatureVerificationError) as failure:
                self.wrong.append(str(failure))
                return 400
            self.events.append(event)
            self.came.notify_all()
            return 200

    def types(self, count: int) -> list[str]:
        """Return the types of the first events, once so many have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.events) >= count, timeout=20), (self.wrong, self.names())
            return self.names()

    def names(self) -> list[str]:
        return [event.type for event in self.events]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(box.take(payload, self.headers["Stripe-Signature"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/stripe?from=fake"
    yield box
    server.shutdown()
    server.server_close()
    thread.join()
    assert box.wrong == []


@pytest.fixture
def fake(tmp_path, inbox) -> Iterator[FakeStripe]:
    with running_fake(tmp_path / "stripe", inbox.url) as running:
        inbox.secret = running.keys.webhook_secret
        yield running


@pytest.fixture
def api(fake) -> Any:
    """Return the real client, watched by the referee."""
    return client(fake.url, fake.keys.secret_key)


def post(url: str, **form: str) -> tuple[int, str | None, str]:
    """Send a form as a browser does; return the status, where it leads, and the page."""
    return visit("POST", url, urlencode(form))


def visit(method: str, url: str, body: str | None = None) -> tuple[int, str | None, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()


def until(holds: Any) -> None:
    """Wait for what another thread or process does."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def top_up(api: Any, amount: int = 10_000, **more: Any) -> Any:
    """Make a session that asks for money."""
    line = {"price_data": {"currency": "eur", "unit_amount": amount, "product_data": {"name": "Top-up"}}, "quantity": 1}
    return api.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [line],
            "success_url": "https://shop.example/paid?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/cancelled",
            **more,
        }
    )


def paid(api: Any, amount: int = 10_000, **more: Any) -> Any:
    """Return the charge of a session that was paid on its page."""
    session = top_up(api, amount, **more)
    assert post(session.url, card_number="4242 4242 4242 4242")[0] == 303
    return charge_of(api, session.id)


def charge_of(api: Any, session_id: str) -> Any:
    expand = {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    return api.v1.checkout.sessions.retrieve(session_id, expand).payment_intent.latest_charge


def available(api: Any) -> int:
    """Return the platform's available euro cents."""
    return next((one.amount for one in api.v1.balance.retrieve().available if one.currency == "eur"), 0)
