"""Events: what changed, with the object as it was then, and the row that has it delivered."""

import json
import secrets
import time
from typing import Any

from billing.fake_stripe import faults
from billing.fake_stripe.errors import Json
from billing.fake_stripe.store import Store

API_VERSION = "2026-10-28.endive"


def make(
    store: Store,
    account: str,
    kind: str,
    snapshot: Json,
    before: Json | None,
    *,
    now: int,
    request_id: str | None,
    idempotency_key: str | None,
) -> Json:
    """Keep an event, and line it up for delivery unless a fault says otherwise."""
    data: Json = {"object": snapshot} | ({"previous_attributes": before} if before else {})
    event = {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": request_id, "idempotency_key": idempotency_key},
        "type": kind,
    } | ({"account": account} if account else {})
    store.insert(account, event)
    _line_up(store, event["id"], kind)
    return event


def _line_up(store: Store, event_id: Any, kind: str) -> None:
    if store.row("SELECT 1 FROM settings WHERE name = 'webhook_url'") is None:
        return
    if faults.take(store, "webhook_lost", event_type=kind):
        return
    late = faults.take(store, "webhook_late", event_type=kind)
    due_at = time.time() + (late or {}).get("seconds", 0)
    turned = faults.take(store, "webhook_reversed", event_type=kind)
    copies = 2 if faults.take(store, "webhook_doubled", event_type=kind) else 1
    for _ in range(copies):
        store.rows("INSERT INTO deliveries (event_id, state, due_at) VALUES (?, ?, ?)",
                   event_id, "held" if turned else "waiting", due_at)  # fmt: skip
    if turned and turned["is_last"]:
        release_held(store)


def release_held(store: Store) -> None:
    """Send off the deliveries that a fault held back, the newest first."""
    store.rows("UPDATE deliveries SET state = 'waiting', due_at = ?, rank = -seq WHERE state = 'held'", time.time())


def resend(store: Store, event_id: str) -> None:
    """Deliver an event once more."""
    store.rows("INSERT INTO deliveries (event_id, due_at) VALUES (?, ?)", event_id, time.time())


def shown(store: Store, event: Json) -> Json:
    """Return an event with the number of its deliveries that nobody has taken yet."""
    row = store.row("SELECT count(*) AS n FROM deliveries WHERE event_id = ? AND state <> 'done'", event["id"])
    return {**event, "pending_webhooks": row["n"] if row else 0}


def read(store: Store, event_id: str) -> Json:
    """Return an event as it is delivered."""
    row = store.row("SELECT body FROM objects WHERE id = ?", event_id)
    assert row is not None
    return shown(store, json.loads(row["body"]))
