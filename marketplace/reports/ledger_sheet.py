"""The ledger of a span for accountants: which span is asked for, and its lines as CSV or beancount text, streamed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from billing import Exported, beancount_text, exported
from core.clock import as_rfc3339
from core.errors import Fault, Invalid
from core.ids import show_id
from core.money import Money
from marketplace.reports.sheet import sheet_line

FORMATS = ("csv", "beancount")
HEAD = ("transaction", "key", "kind", "occurred_at", "posted_at", "actor", "reason", "source", "reverses", "line",
        "account", "name", "sub_account", "owner", "currency", "debit", "credit")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning of one day to the end of another (UTC), and in which form."""

    first: date
    last: date
    form: str

    @property
    def name(self) -> str:
        """Return how a file of it is called."""
        return f"ledger-{self.first}-{self.last}.{self.form}"

    def lines(self) -> Iterator[bytes]:
        """Write it piece by piece, within the reader's transaction."""
        since = datetime.combine(self.first, time(), UTC)
        until = datetime.combine(self.last + timedelta(days=1), time(), UTC)
        if self.form == "beancount":
            return (piece.encode() for piece in beancount_text(since, until))
        return ledger_csv(since, until)


def read_span(first: str, last: str, form: str) -> Span:
    """Read two days and a form; Invalid `bad_span` with each that cannot be read."""
    faults: list[Fault] = []
    days = {name: _day(name, value, faults) for name, value in (("from", first), ("to", last))}
    if form not in FORMATS:
        faults.append(Fault("format", "not_allowed_value", f"Choose one of {', '.join(FORMATS)}."))
    begins, ends = days["from"], days["to"]
    if begins and ends and begins > ends:
        faults.append(Fault("to", "out_of_range", "Name a last day that is not before the first."))
    if faults or begins is None or ends is None:
        raise Invalid("bad_span", "Nothing was exported.", faults)
    return Span(begins, ends, form)


def _day(name: str, value: str, faults: list[Fault]) -> date | None:
    try:
        day = date.fromisoformat(value)
        if date(1970, 1, 1) <= day < date(9999, 1, 1):
            return day
    except ValueError:
        pass
    faults.append(Fault(name, "not_a_date", "Write a day as 2026-01-31."))
    return None


def ledger_csv(since: datetime, until: datetime) -> Iterator[bytes]:
    """Write every entry of a span, one a line, as CSV that no spreadsheet runs."""
    yield sheet_line(HEAD)
    for one in exported(since, until):
        yield sheet_line("" if cell is None else cell for cell in _cells(one))


def _cells(one: Exported) -> tuple[object, ...]:
    amount = str(Money(abs(one.amount_minor), one.currency))
    debit, credit = (amount, None) if one.amount_minor > 0 else (None, amount)
    return (
        show_id("txn", one.transaction_id), one.key, one.kind, as_rfc3339(one.occurred_at), as_rfc3339(one.posted_at),
        one.actor, one.reason, one.source, show_id("txn", one.reverses) if one.reverses else None, one.line,
        one.account, one.name, one.sub_account, show_id("acc", one.owner_id) if one.owner_id else None, one.currency,
        debit, credit,
    )  # fmt: skip
