"""An issued invoice or statement as CSV that no spreadsheet runs: the same lines as printed and on the page."""

from collections.abc import Iterator
from typing import Any

from billing import Document
from core.clock import as_rfc3339
from core.money import Money
from marketplace.reports.months import Line, every_line
from marketplace.reports.sheet import sheet_line

BEGINS = ("document", "line", "kind", "occurred_at", "sale", "lead", "vertical", "region")
ENDS = ("reason", "refers_to", "currency")
HEADS = {
    "invoice": (*BEGINS, "order", "order_name", "amount", "promotional", *ENDS),
    "statement": (*BEGINS, "payout", "source", "subs", "external_id", "reserve_until", "earned", "payable",
                  "reserve", "owed", *ENDS),
}  # fmt: skip


def month_csv(document: Document) -> Iterator[bytes]:
    """Write an issued month line by line."""
    yield sheet_line(HEADS[document.kind])
    for line in every_line(document):
        cells = {name: line.label.data.get(name) for name in HEADS[document.kind]} | _cells(document, line)
        yield sheet_line("" if cells[name] is None else cells[name] for name in HEADS[document.kind])


def _cells(document: Document, line: Line) -> dict[str, Any]:
    booked = line.booked

    def money(minor: int) -> str:
        return str(Money(minor, document.currency))

    subs = line.label.data.get("sub") or {}
    return {
        "document": document.shown_number, "line": line.number, "kind": booked.kind,
        "occurred_at": as_rfc3339(booked.occurred_at), "subs": "; ".join(f"{k}={v}" for k, v in sorted(subs.items())),
        "reserve_until": as_rfc3339(booked.reserve_until) if booked.reserve_until else None,
        "amount": money(booked.amount_minor), "earned": money(booked.amount_minor),
        "promotional": money(booked.promo_minor), "payable": money(booked.payable_minor),
        "reserve": money(booked.reserve_minor), "owed": money(booked.owed_minor),
        "refers_to": line.refers_to, "currency": document.currency,
    }  # fmt: skip
