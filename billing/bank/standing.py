"""What stands in suspense now, with its age and its reason, and what is being done about it; for pages and commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, Text, cast, func, literal, select, text, union_all

from billing.bank.lines import Entry
from billing.bank.matching import sought_in
from billing.bank.models import BankEntry, BankImport, BankLine, BankStatement, ProForma, SuspenseItem, SuspenseMove
from billing.bank.references import slips_of
from billing.funding.models import TopUp
from billing.ledger import SUSPENSE
from billing.models import RARE_KIND, Transaction
from billing.models import Entry as LedgerEntry
from core.db import db
from core.errors import NotFound

ROWS = 50


@dataclass(frozen=True, slots=True)
class Suspended:
    """One amount in suspense: who put it there and why, how much it was and is, above zero when it came in."""

    id: UUID
    kind: str
    reason: str
    currency: str
    amount_minor: int
    left_minor: int
    since: datetime
    source: str

    @property
    def is_credit(self) -> bool:
        """Tell whether it came in, rather than went out."""
        return self.amount_minor > 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A reference that a slip of the pen may have been, and the account that it is of."""

    reference: str
    account_id: UUID


def suspended(after: UUID | None = None, most: int = ROWS) -> list[Suspended]:
    """Return what is left in suspense, the oldest first; `after` is the last one shown."""
    query = _items()
    left = func.coalesce(SuspenseItem.left_minor, -LedgerEntry.amount_minor)
    query = query.where(left != 0)
    if after is not None:
        query = query.where(Transaction.id > after)
    return [_suspended(row) for row in db.session.execute(query.order_by(Transaction.id).limit(most))]


def get_suspended(item_id: UUID) -> Suspended:
    """Return one amount that stands, or once stood, in suspense; NotFound for anything else."""
    row = db.session.execute(_items().where(Transaction.id == item_id)).first()
    if row is None:
        raise NotFound(detail="Nothing of this id stands in suspense.")
    return _suspended(row)


def moves_of(item_id: UUID) -> list[SuspenseMove]:
    """Return what was done about an item, in order."""
    query = select(SuspenseMove).where(SuspenseMove.transaction_id == item_id)
    return list(db.session.scalars(query.order_by(SuspenseMove.id)))


def open_moves(most: int = 200) -> list[SuspenseMove]:
    """Return what waits for a second person, or to be sent back, the oldest first."""
    query = select(SuspenseMove).where(SuspenseMove.state.in_(("proposed", "owed")))
    return list(db.session.scalars(query.order_by(SuspenseMove.asked_at, SuspenseMove.id).limit(most)))


def line_of(item: Suspended) -> BankLine | None:
    """Return the line of a statement that an item is from; None for one of the card processor."""
    if item.kind != "bank_suspense":
        return None
    query = select(BankLine).join(
        BankEntry, (BankEntry.import_id == BankLine.import_id) & (BankEntry.number == BankLine.number)
    )
    return db.session.scalar(query.where(BankEntry.id == UUID(item.source)))


def suggestions_for(line: BankLine) -> list[Suggestion]:
    """Return whose a line may be, if one slip of the pen were mended or its unknown currency did not matter."""
    said = Entry(line.line, reference=line.reference, text=line.said)
    wanted = slips_of(f"{line.reference} {line.said}") | sought_in(said)
    if not wanted:
        return []
    query = select(ProForma.reference, ProForma.account_id).where(ProForma.reference.in_(wanted))
    return [Suggestion(*row) for row in db.session.execute(query.order_by(ProForma.reference).limit(10))]


def imports(after: UUID | None = None, most: int = ROWS) -> list[BankImport]:
    """Return the files that were imported or refused, the newest first."""
    query = select(BankImport)
    if after is not None:
        query = query.where(BankImport.id < after)
    return list(db.session.scalars(query.order_by(BankImport.id.desc()).limit(most)))


def get_import(import_id: UUID) -> BankImport:
    """Return one import."""
    row = db.session.get(BankImport, import_id, populate_existing=True)
    if row is None:
        raise NotFound(detail="There is no such import.")
    return row


def outcomes_of(import_id: UUID) -> dict[str, int]:
    """Count the lines of an import by what became of them."""
    query = select(BankLine.outcome, func.count()).where(BankLine.import_id == import_id).group_by(BankLine.outcome)
    return {outcome: int(count) for outcome, count in db.session.execute(query.order_by(BankLine.outcome))}


def statements_of(import_id: UUID) -> Sequence[BankStatement]:
    """Return the statements of a file."""
    query = select(BankStatement).where(BankStatement.import_id == import_id)
    return db.session.scalars(query.order_by(BankStatement.number).limit(200)).all()


def lines_of_import(import_id: UUID, outcome: str | None, after: int, most: int = ROWS) -> Sequence[BankLine]:
    """Return the lines of an import after one, narrowed to an outcome."""
    query = select(BankLine).where(BankLine.import_id == import_id, BankLine.number > after)
    if outcome:
        query = query.where(BankLine.outcome == outcome)
    return db.session.scalars(query.order_by(BankLine.number).limit(most)).all()


def _items() -> Select[Transaction, int, int]:
    # Two questions and no OR, which would read every transaction.
    rare = select(Transaction.id).where(RARE_KIND, Transaction.kind.in_(("bank_suspense", "suspense")))
    paid = Transaction.key == literal("pi:") + cast(TopUp.payment_id, Text)
    aside = select(Transaction.id).join(TopUp, paid).where(TopUp.state == "set_aside")
    which = Transaction.id.in_(union_all(rare, aside))
    amount = cast(-LedgerEntry.amount_minor, BigInteger).label("minor")
    query = select(Transaction, amount, SuspenseItem.left_minor)
    query = query.join(LedgerEntry, (LedgerEntry.transaction_id == Transaction.id) & (LedgerEntry.account == SUSPENSE))
    return query.outerjoin(SuspenseItem, SuspenseItem.transaction_id == Transaction.id).where(which)


def _suspended(row: Any) -> Suspended:
    posted, minor, left = row
    reason = "set_aside" if posted.kind == "top_up" else posted.reason or ""
    return Suspended(
        posted.id, posted.kind, reason, posted.currency, minor, minor if left is None else left, posted.occurred_at,
        posted.source or "",
    )  # fmt: skip


_AGES = text(r"""
    SELECT t.currency, sum(abs(coalesce(s.left_minor, -e.amount_minor)))::bigint AS minor,
           CASE WHEN t.occurred_at > :at - interval '1 day' THEN 'a day'
                WHEN t.occurred_at > :at - interval '7 days' THEN 'a week' ELSE 'longer' END AS age
    FROM billing.transactions t
    JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 2900
    LEFT JOIN billing.suspense_items s ON s.transaction_id = t.id
    WHERE t.id IN (SELECT r.id FROM billing.transactions r
                   WHERE r.kind IN ('bank_suspense', 'suspense')
                   UNION ALL
                   SELECT p.id FROM billing.top_ups u JOIN billing.transactions p ON p.key = 'pi\:' || u.payment_id
                   WHERE u.state = 'set_aside')
      AND coalesce(s.left_minor, -e.amount_minor) <> 0
    GROUP BY 1, 3
""")
_AT_THE_BANK = text("""
    SELECT t.currency, sum(e.amount_minor)::bigint AS minor
    FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 1030
    WHERE t.kind IN ('bank_credit', 'bank_suspense', 'bank_return', 'bank_payout', 'suspense_return', 'credit',
                     'own_funds')
    GROUP BY t.currency
""")


def bank_unexplained(at: datetime) -> dict[str, dict[str, Any]]:
    """Tell by currency what is at the bank by the books, what is left in suspense by age, and what is owed back."""
    told: dict[str, dict[str, Any]] = {}

    def of(currency: str) -> dict[str, Any]:
        empty = {"bank_minor": 0, "left_minor": 0, "left_by_age": {}, "owed_back_minor": 0}
        return told.setdefault(currency, empty)

    for row in db.session.execute(_AT_THE_BANK):
        of(row.currency)["bank_minor"] = int(row.minor)
    for row in db.session.execute(_AGES, {"at": at}):
        of(row.currency)["left_minor"] += int(row.minor)
        of(row.currency)["left_by_age"][row.age] = int(row.minor)
    one = SuspenseMove
    owed = select(one.currency, func.sum(one.amount_minor)).where(one.state == "owed").group_by(one.currency)
    for currency, minor in db.session.execute(owed):
        of(currency)["owed_back_minor"] = int(minor)
    return dict(sorted(told.items()))
