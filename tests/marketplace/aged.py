"""What tests of leads that are offered again share: what orders and leads say, and the proof of what came of it."""

from typing import Any

from flask import Flask

from core.clock import as_rfc3339
from core.db import transaction
from core.ids import parse_id
from marketplace.audit import audit_all
from marketplace.leads.replay import replays
from tests.factories import Market

WAITING = {"at_cap": "wait", "wait_hours": 24}
AT_NOON = {"timezone": "UTC", "windows": [{"days": ["sun"], "from": "12:00", "to": "13:00"}]}


def resalable(market: Market, **consent: Any) -> dict[str, Any]:
    """Return what a lead says that may be sold again."""
    return {"consent": {"text": "Yes.", "given_at": as_rfc3339(market.clock.now()), "resale": True} | consent}


def proved(app: Flask, *leads: Any) -> None:
    """Prove the books, and that every decision about these leads replays to the same bytes."""
    with app.app_context(), transaction() as session:
        assert [check.name for check in audit_all(session).checks if not check.ok] == []
        assert all(one.is_same for lead in leads for one in replays(parse_id("lead", lead["id"])))
