"""How rows look from outside: prefixed ids, decimal amounts, RFC 3339 instants."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from core.clock import as_rfc3339
from core.ids import show_id
from core.money import Money
from marketplace.leads.models import Dispute, Lead, Sale
from marketplace.leads.reasons import REASONS
from marketplace.orders.models import Order
from marketplace.orders.terms import decode_terms, show_terms


def amount(minor: int, currency: str) -> dict[str, str]:
    """Show an amount of minor units."""
    return Money(minor, currency).as_json()


def instant(at: datetime | None) -> str | None:
    """Show an instant, null for none."""
    return as_rfc3339(at) if at else None


def lead_answer(result: dict[str, Any]) -> dict[str, Any]:
    """Show what the sale function said of a posted lead; the same result always gives the same answer."""
    lead_id, currency = show_id("lead", UUID(result["id"])), result["currency"]
    sales = [
        {"id": show_id("sale", UUID(sale["id"])), "model": "cpl", "price": amount(sale["price"], currency),
         "payout": amount(sale["payout"], currency), "state": sale["state"],
         "release_at": as_rfc3339(datetime.fromisoformat(sale["release_at"]))}
        for sale in result["sales"]
    ]  # fmt: skip
    return _lead(
        lead_id, result["status"], result["contact_class"], result["temperature"], result["score"],
        result["reasons"], result["test"], sales,
        sum(sale["payout"] for sale in result["sales"]), currency,
    )  # fmt: skip


def lead(row: Lead, sales: list[Sale], currency: str, private: dict[str, Any] | None = None) -> dict[str, Any]:
    """Show a stored lead to its publisher, with the sales as they stand; `private` is the contact in the clear."""
    shown_sales = [_sale_of_lead(each) for each in sales]
    payout = sum(each.payout_minor for each in sales if each.state != "returned")
    answer = _lead(show_id("lead", row.id), row.status, row.contact_class, row.temperature, row.score, row.reasons,
                   row.test, shown_sales, payout, currency)  # fmt: skip
    return answer | {
        "region": row.region,
        "external_id": row.external_id,
        "received_at": instant(row.received_at),
        **row.details,
        **(private or {}),
    }


def _lead(
    lead_id: str, status: str, contact_class: str, temperature: str, score: int, reasons: list[str], test: bool,
    sales: list[dict[str, Any]], payout_minor: int, currency: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": lead_id, "status": status, "contact_class": contact_class, "temperature": temperature, "score": score,
        "reasons": reasons, "reasons_explained": [REASONS[code] for code in reasons], "test": test,
        "payout": amount(payout_minor, currency) if sales else None, "sales": sales, "redirect_url": None,
        "links": {"self": f"/api/v1/leads/{lead_id}", "why": f"/api/v1/leads/{lead_id}/why"},
    }  # fmt: skip


def _sale_of_lead(row: Sale) -> dict[str, Any]:
    return {
        "id": show_id("sale", row.id), "model": "cpl", "price": amount(row.price_minor, row.currency),
        "payout": amount(row.payout_minor, row.currency), "state": row.state, "release_at": instant(row.release_at),
    }  # fmt: skip


def sale(row: Sale, bought: Lead, private: dict[str, Any] | None) -> dict[str, Any]:
    """Show a sale to its buyer with the lead that he bought; `private` is None once the lead was returned."""
    return {
        "id": show_id("sale", row.id),
        "lead": {
            "id": show_id("lead", bought.id), "region": bought.region, "contact_class": bought.contact_class,
            "temperature": bought.temperature, "score": bought.score, "received_at": instant(bought.received_at),
            **{name: bought.details.get(name) for name in ("attributes", "interest", "channel", "consent")},
            **(private or {"contact": None, "comments": None}),
        },
        "order": show_id("ord", row.order_id), "order_version": row.order_version, "model": "cpl",
        "price": amount(row.price_minor, row.currency), "state": row.state, "sold_at": instant(row.sold_at),
        "delivered_at": instant(row.delivered_at), "dispute_until": instant(row.window_ends_at),
        "release_at": instant(row.release_at), "ended_at": instant(row.ended_at),
    }  # fmt: skip


def order(row: Order) -> dict[str, Any]:
    """Show an order to its buyer."""
    return {
        "id": show_id("ord", row.id), "version": row.version, **show_terms(decode_terms(row.terms)),
        "created_at": instant(row.created_at), "changed_at": instant(row.changed_at),
    }  # fmt: skip


def dispute(row: Dispute) -> dict[str, Any]:
    """Show a dispute; both sides see the same."""
    return {
        "id": show_id("dsp", row.id), "sale": show_id("sale", row.sale_id), "reason": row.reason, "note": row.note,
        "evidence": row.evidence, "state": row.state, "opened_at": instant(row.opened_at),
        "decided_at": instant(row.decided_at), "decision_note": row.decision_note,
    }  # fmt: skip


def plain(value: Any) -> Any:
    """Turn structs into plain JSON values."""
    return msgspec.to_builtins(value)
