"""A fake for tests: started in this process, controlled over HTTP like any other."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from billing.fake_stripe.errors import Json
from billing.fake_stripe.keys import Keys
from billing.fake_stripe.server import Server


@dataclass(frozen=True, slots=True)
class FakeStripe:
    """Where a fake listens and what opens it; its methods are the control endpoints (control.py)."""

    url: str
    keys: Keys

    def fault(self, kind: str, **more: Any) -> Json:
        """Order a fault: see faults.py."""
        return self.control("POST", "faults", kind=kind, **more)

    def clear_faults(self) -> None:
        """Forget all faults and send off what they held back."""
        self.control("DELETE", "faults")

    def advance(self, seconds: int) -> int:
        """Move the fake's clock forwards and return its instant."""
        return int(self.control("POST", "clock", advance_seconds=seconds)["now"])

    def open_dispute(self, charge: str, **more: Any) -> Json:
        """Open a dispute on a charge, of `amount` and for a `reason` where they are given."""
        return self.control("POST", "disputes", charge=charge, **more)

    def win_dispute(self, dispute: str) -> Json:
        """Close a dispute for the merchant."""
        return self.control("POST", f"disputes/{dispute}/won")

    def lose_dispute(self, dispute: str) -> Json:
        """Close a dispute for the card's holder."""
        return self.control("POST", f"disputes/{dispute}/lost")

    def balances(self) -> Json:
        """Return every account's balances; the platform's are under `platform`."""
        return self.control("GET", "balances")

    def resend(self, event: str) -> Json:
        """Deliver an event once more."""
        return self.control("POST", f"events/{event}/resend")

    def deliver(self) -> Json:
        """Try at once what waits for its next attempt."""
        return self.control("POST", "webhooks/deliver")

    def deliveries(self) -> Json:
        """Return how many deliveries are waiting, held and done."""
        return self.control("GET", "webhooks")

    def control(self, method: str, path: str, /, **body: Any) -> Json:
        """Call a control endpoint; ValueError with the answer's text if it refuses."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.keys.secret_key}"}
            connection.request(method, f"/_control/{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(text.decode())
        read: Json = json.loads(text)
        return read


@contextmanager
def running_fake(folder: Path, webhook_url: str | None = None, port: int = 0) -> Iterator[FakeStripe]:
    """Run a fake on a folder in this process; its state stays there for the next one."""
    server = Server(folder, webhook_url, port=port)
    thread = server.serve_in_background()
    try:
        yield FakeStripe(server.url, server.keys)
    finally:
        server.shutdown()
        thread.join()
