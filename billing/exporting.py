"""The ledger for accountants: every entry of a span in the order of occurrence, as rows and as beancount text.

It is streamed: one statement, one snapshot, a piece at a time, however long the span is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import text

from core.clock import as_rfc3339
from core.db import db
from core.ids import show_id
from core.money import Money

PIECE = 2000
ROOTS = {1: "Assets", 2: "Liabilities", 3: "Equity", 4: "Income", 5: "Expenses"}
_ENTRIES = text("""
    SELECT t.id AS transaction_id, t.key, t.kind, t.currency, t.occurred_at, t.posted_at, t.actor, t.reason, t.source,
           t.reverses, e.line, e.account, a.name, e.sub_account, e.owner_id, e.amount_minor
    FROM billing.transactions t
    JOIN billing.entries e ON e.transaction_id = t.id
    JOIN billing.chart_of_accounts a ON a.code = e.account
    WHERE t.occurred_at >= :since AND t.occurred_at < :until
    ORDER BY t.occurred_at, t.id, e.line
""")
_OPENING = text("""
    SELECT e.account, a.name, e.sub_account, e.owner_id, e.currency, sum(e.amount_minor)::bigint AS minor
    FROM billing.transactions t
    JOIN billing.entries e ON e.transaction_id = t.id
    JOIN billing.chart_of_accounts a ON a.code = e.account
    WHERE t.occurred_at < :since
    GROUP BY e.account, a.name, e.sub_account, e.owner_id, e.currency
    HAVING sum(e.amount_minor) <> 0
    ORDER BY e.currency, e.account, e.sub_account, e.owner_id
""")


@dataclass(frozen=True, slots=True)
class Exported:
    """One entry with the transaction that it is of; a debit is positive."""

    transaction_id: UUID
    key: str
    kind: str
    currency: str
    occurred_at: datetime
    posted_at: datetime
    actor: str
    reason: str | None
    source: str | None
    reverses: UUID | None
    line: int
    account: int
    name: str
    sub_account: str | None
    owner_id: UUID | None
    amount_minor: int


def exported(since: datetime, until: datetime) -> Iterator[Exported]:
    """Read every entry that occurred from an instant on and before another, in the order of occurrence."""
    span = {"since": since, "until": until}
    rows = db.session.execute(_ENTRIES, span, execution_options={"yield_per": PIECE})
    return (Exported(*row) for row in rows)


def beancount_text(since: datetime, until: datetime) -> Iterator[str]:
    """Write a span as beancount reads it: accounts opened as they first move, balances before it, each transaction."""
    yield 'option "title" "Ledger"\n'
    opened: set[str] = set()
    day = f"{since:%Y-%m-%d}"
    for currency, group in groupby(db.session.execute(_OPENING, {"since": since}), lambda row: row.currency):
        lines = [(beancount_account(row.account, row.name, row.sub_account, row.owner_id), row.minor) for row in group]
        yield from _opened(day, [account for account, _ in lines], opened)
        yield f'{day} * "opening balances, {currency}"\n' + _postings(lines, currency)
    for _, entries in groupby(exported(since, until), lambda one: one.transaction_id):
        yield from _transaction(list(entries), opened)


def _transaction(entries: list[Exported], opened: set[str]) -> Iterator[str]:
    first = entries[0]
    day = f"{first.occurred_at:%Y-%m-%d}"
    lines = [(beancount_account(one.account, one.name, one.sub_account, one.owner_id), one.amount_minor)
             for one in entries]  # fmt: skip
    yield from _opened(day, [account for account, _ in lines], opened)
    told = {"id": show_id("txn", first.transaction_id), "key": first.key, "at": as_rfc3339(first.occurred_at),
            "actor": first.actor}  # fmt: skip
    meta = "".join(f'  {name}: "{_quoted(value)}"\n' for name, value in told.items())
    yield f'{day} * "{_quoted(first.kind)}" "{_quoted(first.reason or "")}"\n{meta}' + _postings(lines, first.currency)


def _opened(day: str, accounts: Iterable[str], opened: set[str]) -> Iterator[str]:
    for account in dict.fromkeys(accounts):
        if account not in opened:
            opened.add(account)
            yield f"{day} open {account}\n"


def _postings(lines: Iterable[tuple[str, int]], currency: str) -> str:
    return "".join(f"  {account}  {Money(minor, currency)} {currency}\n" for account, minor in lines) + "\n"


def beancount_account(code: int, name: str, sub_account: str | None, owner_id: UUID | None) -> str:
    """Name an account as beancount does: a root by the chart, parts that begin with a capital, the owner last."""
    owner = show_id("acc", owner_id) if owner_id else None
    parts = [*name.split(":"), *filter(None, (sub_account, owner))]
    return ":".join([ROOTS[code // 1000], *map(_part, parts)])


def _part(word: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in word)
    return plain[:1].upper() + plain[1:] if plain[:1].isalnum() else f"X{plain}"


def _quoted(words: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in words)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
