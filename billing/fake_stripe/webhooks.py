"""Webhooks: events sent in their order by a thread, signed as Stripe signs, until somebody takes them."""

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from urllib.parse import urlsplit

from billing.fake_stripe import due, events
from billing.fake_stripe.store import Store

LONGEST_WAIT, LONGEST_BACK_OFF, TIME_OUT = 1.0, 300.0, 10
FIRST_BACK_OFF = 0.5
log = logging.getLogger(__name__)


def signature(payload: bytes, secret: str, at: int) -> str:
    """Return the value of the Stripe-Signature header."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


class Sender(threading.Thread):
    """The thread that delivers, and does what falls due while nobody asks."""

    def __init__(self, store: Store, webhook_url: str | None, secret: str, base_url: str) -> None:
        super().__init__(name="fake-stripe-webhooks", daemon=True)
        self._store, self._secret, self._base_url = store, secret, base_url
        self._url = webhook_url
        self._wake, self._is_ending = threading.Event(), False
        with store.transaction():
            store.rows("DELETE FROM settings WHERE name = 'webhook_url'")
            if webhook_url:
                store.rows("INSERT INTO settings VALUES ('webhook_url', ?)", webhook_url)
            # Whoever was away when we were last here has perhaps come back with us.
            store.rows("UPDATE deliveries SET due_at = ? WHERE state = 'waiting' AND attempts > 0", time.time())

    def wake(self) -> None:
        """Look now whether there is something to deliver."""
        self._wake.set()

    def end(self) -> None:
        """Stop after the delivery under way."""
        self._is_ending = True
        self.wake()
        self.join()

    def run(self) -> None:
        """Deliver until told to end."""
        while not self._is_ending:
            self._wake.clear()
            with self._store.transaction():
                due.run(self._store, self._base_url)
            if not self._deliver_next():
                self._wake.wait(LONGEST_WAIT)

    def _deliver_next(self) -> bool:
        """Deliver the oldest event that is due; False when there is none."""
        row = self._store.row(
            "SELECT * FROM deliveries WHERE state = 'waiting' AND due_at <= ? ORDER BY rank, seq LIMIT 1", time.time()
        )
        if row is None or self._url is None:
            return False
        payload = json.dumps(events.read(self._store, row["event_id"]), indent=2).encode()
        state, due_at = "done", row["due_at"]
        if not self._is_taken(self._url, payload):
            state, due_at = (
                "waiting",
                time.time() + min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** min(row["attempts"], 20)),
            )
        with self._store.transaction():
            self._store.rows("UPDATE deliveries SET state = ?, attempts = attempts + 1, due_at = ? WHERE seq = ?",
                             state, due_at, row["seq"])  # fmt: skip
        return True

    def _is_taken(self, url: str, payload: bytes) -> bool:
        parts = urlsplit(url)
        made = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = made(parts.hostname or "", parts.port, timeout=TIME_OUT)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self._secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks) fake",
        }
        try:
            connection.request("POST", (parts.path or "/") + (f"?{parts.query}" * bool(parts.query)), payload, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as failure:
            log.info("webhook not taken: %s", failure)
            return False
        finally:
            connection.close()
        return 200 <= answer.status < 300
