"""Issuing the documents of months that are over: which is due next, and writing it once with all its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import insert as insert_row
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from billing.documents.content import Party
from billing.documents.details import details_of
from billing.documents.models import Document
from billing.documents.months.content import LAYOUT, Counted, Label, MonthContent
from billing.documents.months.drafts import SALE, TAKEN_BACK, Booked, Draft, Side, looked_at, waiting_lines
from billing.documents.months.models import DocumentLine, DocumentMonth
from billing.documents.months.vat import book_vat, vat_on
from billing.models import Transaction
from core.db import db
from core.http import settings
from core.identity import language_of
from core.ids import new_id
from core.months import begin_of, end_of, month_after, month_before, month_of

ACTOR = "system:documents"
_NEXT = {
    side: text(f"""
        SELECT o.account_id, o.currency, m.last FROM {table} o
        LEFT JOIN LATERAL (
            SELECT max(d.period) AS last FROM billing.document_months d
            WHERE d.side = '{side}' AND d.account_id = o.account_id AND d.currency = o.currency) m ON true
        WHERE m.last IS NULL OR m.last < :period ORDER BY o.account_id, o.currency LIMIT 1
    """)
    for side, table in (("invoice", "billing.wallets"), ("statement", "billing.earners"))
}


# What waits for a later month, or what may be on its way at this moment: an hour is longer than any posting takes.
_NEXT_ID = text("""
    SELECT least(uuidv7(interval '-1 hour'),
                 (SELECT t.id FROM billing.transactions_for(:side, :account, :currency, :from_id) t
                  WHERE t.occurred_at >= :until ORDER BY t.id LIMIT 1))
""")


@dataclass(frozen=True, slots=True)
class DueMonth:
    """A month of an account whose document is not issued yet."""

    side: Side
    account_id: UUID
    currency: str
    period: date


def next_due_month(by: datetime) -> DueMonth | None:
    """Find the next account whose last month that is over by then has no document yet, and its oldest such month."""
    over = month_before(month_of(by))
    sides: tuple[Side, ...] = ("invoice", "statement")
    for side in sides:
        row = db.session.execute(_NEXT[side], {"period": over}).one_or_none()
        if row is not None:
            period = month_after(row.last) if row.last else _first_month(side, row.account_id, row.currency, over)
            return DueMonth(side, row.account_id, row.currency, period)
    return None


def _first_month(side: Side, account_id: UUID, currency: str, over: date) -> date:
    waiting = waiting_lines(side, account_id, currency, begin_of(month_after(over)))
    return month_of(waiting[0].occurred_at) if waiting else over


def issue_month(draft: Draft, labels: Mapping[UUID, Label], counted: Sequence[Counted], at: datetime) -> bool:
    """Issue a month's document, once whoever asks and how often; false when somebody did before.

    A month without lines is only noted. `labels` are by transaction. A commit gives the number; until then nobody else
    sees it.
    """
    mark = {"side": draft.side, "account_id": draft.account_id, "currency": draft.currency, "period": draft.period}
    document_id = new_id() if draft.lines else None
    next_id = _next_id(draft)
    row = insert(DocumentMonth).values(mark | {"document_id": document_id, "from_id": next_id, "looked_at": at})
    if db.session.scalar(row.on_conflict_do_nothing().returning(DocumentMonth.side)) is None:
        return False
    if document_id is not None:
        _write(document_id, draft, labels, counted, at)
    return True


def _next_id(draft: Draft) -> UUID:
    """Return the id before which no transaction waits any more once this month is issued."""
    last = looked_at(draft.side, draft.account_id, draft.currency)
    asked = {"side": draft.side, "account": draft.account_id, "currency": draft.currency,
             "from_id": last.from_id, "until": end_of(draft.period)}  # fmt: skip
    return db.session.execute(_NEXT_ID, asked).scalar_one()  # type: ignore[no-any-return]


def _write(
    document_id: UUID, draft: Draft, labels: Mapping[UUID, Label], counted: Sequence[Counted], at: datetime
) -> None:  # fmt: skip
    content = _content_of(draft, counted)
    document = Document(
        id=document_id, kind=draft.side, year=at.astimezone(UTC).year, account_id=draft.account_id,
        currency=draft.currency, amount_minor=draft.amount_minor, about_id=document_id, transaction_id=None,
        period=draft.period, content=msgspec.to_builtins(content), issued_at=at,
    )  # fmt: skip
    book_vat(document, content.vat.minor, ACTOR, at)
    document.transaction_id = db.session.scalar(select(Transaction.id).where(Transaction.key == f"vat:{document_id}"))
    db.session.add(document)
    db.session.flush()
    corrected = _numbers_of(draft)
    rows = [_row(document_id, number, draft, line, labels, corrected) for number, line in enumerate(draft.lines, 1)]
    db.session.execute(insert_row(DocumentLine), rows)


def _row(
    document_id: UUID, number: int, draft: Draft, line: Booked, labels: Mapping[UUID, Label], corrected: dict[UUID, str]
) -> dict[str, object]:
    said = asdict(line)
    del said["key"], said["source"]
    refers_to = corrected.get(line.transaction_id)
    label = labels.get(line.transaction_id, Label())
    return said | {"document_id": document_id, "line": number, "side": draft.side, "account_id": draft.account_id,
                   "refers_to": refers_to, "label": msgspec.to_builtins(label)}  # fmt: skip


def _numbers_of(draft: Draft) -> dict[UUID, str]:
    """Return, by the line's transaction, the number of the earlier document on which stands what it corrects."""
    by_hold, by_fee = _numbers_by_hold(draft), _numbers_by_fee(draft)
    back = [(line.transaction_id, line.hold_id) for line in draft.lines if line.hold_id and line.kind != SALE]
    return by_fee | {each: by_hold[hold_id] for each, hold_id in back if hold_id in by_hold}


def _numbers_by_fee(draft: Draft) -> dict[UUID, str]:
    back = [line.transaction_id for line in draft.lines if line.kind in TAKEN_BACK and not line.hold_id]
    query = select(Transaction.id, Document).join(DocumentLine, DocumentLine.transaction_id == Transaction.reverses)
    query = query.join(Document, Document.id == DocumentLine.document_id).where(
        Transaction.id.in_(back), DocumentLine.side == draft.side, Document.number.is_not(None)
    )
    return {each: document.shown_number for each, document in db.session.execute(query)} if back else {}


def _numbers_by_hold(draft: Draft) -> dict[UUID, str]:
    holds = [line.hold_id for line in draft.lines if line.hold_id and line.kind != SALE]
    query = select(DocumentLine.hold_id, Document).join(Document, Document.id == DocumentLine.document_id)
    query = query.where(DocumentLine.hold_id.in_(holds), DocumentLine.kind == SALE, DocumentLine.side == draft.side,
                        DocumentLine.account_id == draft.account_id, Document.number.is_not(None))  # fmt: skip
    return {hold_id: document.shown_number for hold_id, document in db.session.execute(query) if hold_id}


def _content_of(draft: Draft, counted: Sequence[Counted]) -> MonthContent:
    sums: dict[str, int] = {}
    for line in draft.lines:
        sums[line.kind] = sums.get(line.kind, 0) + line.amount_minor
    named = details_of(draft.account_id)
    account = Party(name=named.name, address=named.address, vat_id=named.vat_id)
    ours = Party(**asdict(settings().seller))
    is_ours = draft.side == "invoice"
    return MonthContent(
        layout=LAYOUT, seller=ours if is_ours else account, payer=account if is_ours else ours,
        language=language_of(draft.account_id) or "en", lines=len(draft.lines), sums=sums,
        promo_minor=sum(line.promo_minor for line in draft.lines), opening=draft.opening, closing=draft.closing,
        vat=vat_on(draft), counted=tuple(counted), is_test=settings().test_money,
    )  # fmt: skip
