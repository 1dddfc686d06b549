"""An invoice or a statement laid out as words, line by line; any printed form is made from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from billing.documents.content import Party
from billing.documents.models import Document
from billing.documents.months.content import Label, MonthContent, month_content_of
from billing.documents.months.drafts import Position
from billing.documents.months.models import DocumentLine
from billing.documents.months.vat import Vat, VatPart
from billing.documents.months.words import MonthWords, month_words_of
from billing.documents.sheet import Head
from core.months import month_after


@dataclass(frozen=True, slots=True)
class Row:
    """One printed line: its cells, the small print below the third, and what its last column adds to the page's sum."""

    cells: tuple[str, ...]
    below: tuple[str, ...]
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LongSheet(Head):
    """What is printed, word for word, in its order; `rows` are made while they are printed."""

    heads: tuple[str, ...]
    rows: Iterator[Row]
    totals: tuple[tuple[str, str], ...]
    carried: str
    words: MonthWords
    currency: str

    def money(self, minor: int) -> str:
        """Write an amount in the sheet's language."""
        return self.words.paper.money(minor, self.currency)


def month_sheet_of(document: Document, lines: Sequence[DocumentLine]) -> LongSheet:
    """Lay out an issued invoice or statement, in the language and wording of its issue."""
    content = month_content_of(document)
    words = month_words_of(content.layout, content.language)
    is_invoice = document.kind == "invoice"
    heads: tuple[str, ...] = (words.line, words.day, words.what, words.amount)
    if not is_invoice:
        heads = (words.line, words.day, words.what, words.reserve_until, words.earned, words.payable)
    return LongSheet(
        title=words.invoice if is_invoice else words.statement, number=document.shown_number,
        language=content.language, issued_at=document.issued_at,
        parties=(_party(words.paper.seller, content.seller, words), _party(words.paper.payer, content.payer, words)),
        facts=_facts(document, content, words), heads=heads,
        rows=(_row(line, document.currency, words) for line in lines),
        totals=_totals(document, content, words), warning=words.paper.is_test if content.is_test else "",
        note=_note(document, content, words), page=words.paper.page, carried=words.carried, words=words,
        currency=document.currency,
    )  # fmt: skip


def _party(role: str, party: Party, words: MonthWords) -> tuple[str, tuple[str, ...]]:
    vat = (f"{words.paper.vat_id} {party.vat_id}",) if party.vat_id else ()
    return role, (party.name, *filter(None, party.address.split("\n")), *vat)


def _facts(document: Document, content: MonthContent, words: MonthWords) -> tuple[tuple[str, str], ...]:
    assert document.period is not None
    days = f"{document.period} / {month_after(document.period) - timedelta(days=1)}"
    facts = [(words.paper.number, document.shown_number), (words.paper.issued, words.paper.day(document.issued_at)),
             (words.period, days)]  # fmt: skip
    if document.kind == "statement":
        facts.append((words.opening, _position(content.opening, document.currency, words)))
    return (*facts, *((one.says, str(one.count)) for one in content.counted))


def _position(one: Position, currency: str, words: MonthWords) -> str:
    parts = {name.removesuffix("_minor"): words.paper.money(getattr(one, name), currency)
             for name in Position.__struct_fields__}  # fmt: skip
    return f"{words.paper.money(one.total_minor, currency)} ({words.parts.format(**parts)})"


def _row(line: DocumentLine, currency: str, words: MonthWords) -> Row:
    label = msgspec.convert(line.label, Label)
    what = " ".join(filter(None, (words.kind(line.kind), label.ref)))
    small = [
        ", ".join(label.told),
        label.reason,
        words.refers_to.format(number=line.refers_to) if line.refers_to else "",
    ]
    amount = words.paper.money(line.amount_minor, currency)
    cells: tuple[str, ...] = (str(line.line), words.paper.day(line.occurred_at), what, amount)
    minor = line.amount_minor
    if line.side == "statement":
        until = words.paper.day(line.reserve_until) if line.reserve_until else ""
        cells = (*cells[:3], until, amount, words.paper.money(line.payable_minor, currency))
        minor = line.payable_minor
    return Row(cells, tuple(filter(None, small)), minor)


def _totals(document: Document, content: MonthContent, words: MonthWords) -> tuple[tuple[str, str], ...]:
    def money(minor: int) -> str:
        return words.paper.money(minor, document.currency)

    totals = [(words.kind(kind), money(minor)) for kind, minor in sorted(content.sums.items()) if minor]
    totals += [(words.promo, money(-content.promo_minor))] if content.promo_minor else []
    totals.append((words.net, money(document.amount_minor)))
    parts: Sequence[Vat | VatPart] = content.vat.parts or (content.vat,)
    for one in parts:
        if isinstance(one, VatPart):
            totals.append((_of_part(one, content, document, words), money(one.net_minor)))
        if one.treatment == "rate":
            totals.append((f"{words.vat.format(rate=_rate(one, words))} ({one.country})", money(one.minor)))
    if any(one.treatment == "rate" for one in parts):
        totals.append((words.gross, money(document.amount_minor + content.vat.minor)))
    if document.kind == "statement":
        totals.append((words.closing, _position(content.closing, document.currency, words)))
    return tuple(totals)


def _rate(one: Vat | VatPart, words: MonthWords) -> str:
    whole, part = divmod(one.rate_bp, 100)
    return f"{whole}{words.paper.decimal}{part:02}".rstrip("0").rstrip(words.paper.decimal) + " %"


def _of_part(one: VatPart, content: MonthContent, document: Document, words: MonthWords) -> str:
    """Say which part of the net is taxed in one way."""
    if one.treatment == "rate":
        return f"{words.net}, {_rate(one, words)} ({one.country})"
    return f"{words.net}: {_untaxed(one, content, document, words)}"


def _untaxed(one: Vat | VatPart, content: MonthContent, document: Document, words: MonthWords) -> str:
    if one.treatment == "none":
        return words.no_vat
    number = one.vat_number if document.kind == "invoice" else content.payer.vat_id
    return words.reverse_charge.format(who=content.payer.name, number=number)


def _note(document: Document, content: MonthContent, words: MonthWords) -> str:
    note = words.invoice_note if document.kind == "invoice" else words.statement_note
    is_said = content.vat.parts or content.vat.treatment == "rate"  # among the totals
    return note if is_said else f"{note} {_untaxed(content.vat, content, document, words)}"
