"""Faults to order: each waits for what it matches, so many times, and survives restarts.

HTTP       `drop` does the work and closes the socket without an answer; `429` and `500` refuse before anything is done;
           `500_after` does the work and answers 500, now and to the same idempotency key; `delay` waits `seconds`.
Webhooks   `webhook_late` (by `seconds`), `webhook_lost`, `webhook_doubled`, `webhook_reversed` (holds `times` events
           back and delivers them newest first); `event_type` is a pattern such as `charge.*`.
Money      `funds_pending` (for `seconds`, a week if unsaid), `refund_fails` and `payout_fails` (after `seconds`).

`times` is how often it strikes (1 if unsaid, 0 for ever); `method` and `path`, a pattern such as `/v1/refunds*` and
`/v1/*` if unsaid, choose the requests of an HTTP fault. Hosted pages (`/pay/*`) know only `drop`.
"""

import fnmatch
import json

from billing.fake_stripe.errors import Json, invalid
from billing.fake_stripe.store import Store

HTTP = ("drop", "429", "500", "500_after", "delay")
WEBHOOKS = ("webhook_late", "webhook_lost", "webhook_doubled", "webhook_reversed")
MONEY = ("funds_pending", "refund_fails", "payout_fails")
FIELDS = {"kind": str, "times": int, "method": str, "path": str, "event_type": str, "seconds": int | float}


def order(store: Store, wanted: Json) -> Json:
    """Keep a fault until it has struck as often as it should."""
    for name, value in wanted.items():
        if name not in FIELDS or not isinstance(value, FIELDS[name]):
            raise invalid(f"A fault takes {', '.join(FIELDS)}", name)
    if wanted.get("kind") not in HTTP + WEBHOOKS + MONEY:
        raise invalid(f"kind is one of {', '.join(HTTP + WEBHOOKS + MONEY)}", "kind")
    kept = {"times": 1, **wanted}
    store.rows("INSERT INTO faults (body) VALUES (?)", json.dumps(kept))
    return kept


def waiting(store: Store) -> list[Json]:
    """Return the faults that have yet to strike, oldest first."""
    return [json.loads(row["body"]) for row in store.rows("SELECT body FROM faults ORDER BY seq")]


def clear(store: Store) -> None:
    """Forget every fault."""
    store.rows("DELETE FROM faults")


def take(store: Store, *kinds: str, method: str = "", path: str = "", event_type: str = "") -> Json | None:
    """Return the oldest fault that matches and count its strike; `is_last` says that it will strike no more."""
    for row in store.rows("SELECT seq, body FROM faults ORDER BY seq"):
        fault = json.loads(row["body"])
        if fault["kind"] not in kinds or not _matches(fault, method, path, event_type):
            continue
        left = fault["times"] - 1
        if left == 0:
            store.rows("DELETE FROM faults WHERE seq = ?", row["seq"])
        elif left > 0:
            store.rows("UPDATE faults SET body = ? WHERE seq = ?", json.dumps({**fault, "times": left}), row["seq"])
        return {**fault, "is_last": left == 0}
    return None


def _matches(fault: Json, method: str, path: str, event_type: str) -> bool:
    return (
        fault.get("method", method) == method
        and fnmatch.fnmatchcase(path, fault.get("path", "/v1/*" if fault["kind"] in HTTP else "*"))
        and fnmatch.fnmatchcase(event_type, fault.get("event_type", "*"))
    )
