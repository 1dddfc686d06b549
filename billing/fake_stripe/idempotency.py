"""Idempotency keys: the first answer to a key is kept with its request for a day and given again, byte for byte."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from billing.fake_stripe.errors import Json, Refused
from billing.fake_stripe.store import Store

DAY = 86_400
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before, and the request that it was first given to."""

    status: int
    body: bytes
    request_id: str


class InFlight:
    """The keys whose first request is still being answered; a kill empties it, together with their effects."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextlib.contextmanager
    def claim(self, account: str, key: str) -> Iterator[None]:
        """Hold a key while its request is answered; 409 for whoever comes meanwhile."""
        with self._lock:
            if (account, key) in self._keys:
                message = f"There is currently another in-progress request using this Idempotency Key ({key})."
                raise Refused(message, status=409, kind="idempotency_error", code="idempotency_key_in_use",
                              is_stored=False)  # fmt: skip
            self._keys.add((account, key))
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard((account, key))


def fingerprint(method: str, path: str, params: Json) -> str:
    """Return what must be equal for a key to stand for the same request."""
    return hashlib.sha256(json.dumps([method, path, params], sort_keys=True).encode()).hexdigest()


def kept(store: Store, account: str, key: str, print_of_request: str, now: int) -> Kept | None:
    """Return the first answer to a key, or None if it is new; another request under it is refused."""
    if len(key) > LONGEST:
        raise Refused(f"Idempotency keys have up to {LONGEST} characters", kind="idempotency_error", is_stored=False)
    store.rows("DELETE FROM answers WHERE created_at <= ?", now - DAY)
    row = store.row("SELECT * FROM answers WHERE account = ? AND key = ?", account, key)
    if row is None:
        return None
    if row["fingerprint"] != print_of_request:
        raise Refused(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
            is_stored=False,
        )
    return Kept(row["status"], bytes(row["body"]), row["request_id"])


def keep(store: Store, account: str, key: str, print_of_request: str, answer: Kept, now: int) -> None:
    """Keep the answer to a key."""
    store.rows("INSERT INTO answers (account, key, fingerprint, request_id, status, body, created_at)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)",
               account, key, print_of_request, answer.request_id, answer.status, answer.body, now)  # fmt: skip
