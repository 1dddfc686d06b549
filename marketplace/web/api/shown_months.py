"""How invoices and statements look from outside, in the shapes of `answers_months`."""

from collections.abc import Sequence
from typing import Any

from billing import Document, MonthContent, Position, month_content_of
from core.ids import show_id
from marketplace.reports.months import Line, MonthTold
from marketplace.web.api.answers_months import (
    BoughtLabel,
    CountedShown,
    DifferenceShown,
    InvoiceLine,
    InvoiceRead,
    InvoiceShown,
    PaidOutShown,
    PositionShown,
    SoldLabel,
    StatementLine,
    StatementRead,
    StatementShown,
    VatPartShown,
    VatShown,
)
from marketplace.web.api.documents import party
from marketplace.web.api.shown import amount, instant, instant_or_none


def invoice(row: Document) -> InvoiceShown:
    """Show an invoice without its lines."""
    return InvoiceShown(**_invoice(row, month_content_of(row)))


def invoice_read(told: MonthTold) -> InvoiceRead:
    """Show an invoice with one part of its lines."""
    assert told.document is not None and told.content is not None
    lines = [_invoice_line(one, told.currency) for one in told.lines]
    return InvoiceRead(**_invoice(told.document, told.content), items=lines, **_ends(told))


def statement(row: Document) -> StatementShown:
    """Show an issued statement without its lines."""
    content = month_content_of(row)
    return StatementShown(
        **_month(row, content), opening=_position(content.opening, row.currency),
        closing=_position(content.closing, row.currency),
    )  # fmt: skip


def statement_read(told: MonthTold) -> StatementRead:
    """Show a month of a publisher with one part of its lines."""
    code = told.currency
    return StatementRead(
        period=f"{told.period:%Y-%m}", currency=code, state=_state(told),
        issued=statement(told.document) if told.document else None, earned=amount(told.amount_minor, code),
        opening=_position(told.opening, code), closing=_position(told.closing, code),
        paid_out=[
            PaidOutShown(line=one.number, at=instant(one.at), opening=amount(one.opening_minor, code),
                         added=amount(one.added_minor, code), paid=amount(one.paid_minor, code),
                         left=amount(one.left_minor, code))
            for one in told.paid_out
        ],
        counted=[CountedShown(code=one.code, says=one.says, count=one.count) for one in told.counted],
        items=[_statement_line(one, code) for one in told.lines], **_ends(told),
    )  # fmt: skip


def _state(told: MonthTold) -> str:
    if told.document is not None:
        return "issued"
    return "empty" if told.is_empty else "open"


def _invoice(row: Document, content: MonthContent) -> dict[str, Any]:
    return _month(row, content) | {
        "promotional": amount(content.promo_minor, row.currency), "seller": party(content.seller),
        "buyer": party(content.payer),
    }  # fmt: skip


def _month(row: Document, content: MonthContent) -> dict[str, Any]:
    vat = content.vat
    return {
        "id": show_id("doc", row.id), "number": row.shown_number, "period": f"{row.period:%Y-%m}",
        "issued_at": instant(row.issued_at), "net": amount(row.amount_minor, row.currency),
        "vat": VatShown(treatment=vat.treatment, country=vat.country, number=vat.vat_number, rate_bp=vat.rate_bp,
                        amount=amount(vat.minor, row.currency), parts=[
                            VatPartShown(treatment=one.treatment, country=one.country, number=one.vat_number,
                                         rate_bp=one.rate_bp, net=amount(one.net_minor, row.currency),
                                         amount=amount(one.minor, row.currency)) for one in vat.parts]),
        "gross": amount(row.amount_minor + vat.minor, row.currency), "lines": content.lines,
        "language": content.language, "test": content.is_test,
    }  # fmt: skip


def _ends(told: MonthTold) -> dict[str, Any]:
    differences = [
        DifferenceShown(line=one.line, what=one.what, said=amount(one.said_minor, told.currency),
                        booked=amount(one.booked_minor, told.currency))
        for one in told.differences
    ]  # fmt: skip
    return {"next_cursor": str(told.next_line) if told.next_line else None, "differences": differences,
            "unexplained": amount(unexplained_minor(told), told.currency)}  # fmt: skip


def unexplained_minor(told: MonthTold) -> int:
    """Return by how much a month's sums say more than the books; what differs only by line is among its differences."""
    whole = [one for one in told.differences if one.line is None] or told.differences
    return sum(one.minor for one in whole if not one.what.startswith("opening"))


def _invoice_line(line: Line, currency: str) -> InvoiceLine:
    return InvoiceLine(
        **_line(line), amount=amount(line.booked.amount_minor, currency),
        promotional=amount(line.booked.promo_minor, currency),
        about=BoughtLabel(**_about(line, ("order", "order_name"))),
    )  # fmt: skip


def _statement_line(line: Line, currency: str) -> StatementLine:
    booked = line.booked
    return StatementLine(
        **_line(line), earned=amount(booked.amount_minor, currency), payable=amount(booked.payable_minor, currency),
        reserve=amount(booked.reserve_minor, currency), owed=amount(booked.owed_minor, currency),
        reserve_until=instant_or_none(booked.reserve_until),
        about=SoldLabel(**_about(line, ("source", "external_id", "payout")), sub=line.label.data.get("sub") or {}),
    )  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    booked = line.booked
    return {"line": line.number, "kind": booked.kind, "occurred_at": instant(booked.occurred_at),
            "refers_to": line.refers_to}  # fmt: skip


def _about(line: Line, more: Sequence[str]) -> dict[str, Any]:
    names = ("sale", "lead", "vertical", "region", "reason", *more)
    return {name: line.label.data.get(name) for name in names} | {"reason_said": line.label.reason or None}


def _position(one: Position, currency: str) -> PositionShown:
    return PositionShown(payable=amount(one.payable_minor, currency), reserve=amount(one.reserve_minor, currency),
                         owed=amount(one.owed_minor, currency), total=amount(one.total_minor, currency))  # fmt: skip
