"""A document laid out as words: heading, parties, facts, lines, a sum and notes; any printed form is made from it."""

from dataclasses import dataclass
from datetime import datetime

from billing.documents.content import Content, Party, content_of
from billing.documents.models import Document
from billing.documents.words import Words, words_of
from core.ids import show_id


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table, and what is told below it in smaller print."""

    what: str
    amount: str
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every printed document begins and ends with, word for word."""

    title: str
    number: str
    language: str
    issued_at: datetime
    parties: tuple[tuple[str, tuple[str, ...]], ...]
    facts: tuple[tuple[str, str], ...]
    warning: str
    note: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet(Head):
    """What is printed of a receipt or credit note, word for word, in its order."""

    heads: tuple[str, str]
    lines: tuple[Line, ...]
    total: tuple[str, str]


def sheet_of(document: Document) -> Sheet:
    """Lay out an issued document, in the language and wording of its issue."""
    content = content_of(document)
    words = words_of(content.layout, content.language)
    return Sheet(
        title=words.receipt if document.kind == "receipt" else words.credit_note, number=document.shown_number,
        language=content.language, issued_at=document.issued_at,
        parties=(_party(words.seller, content.seller, words), _party(words.payer, content.payer, words)),
        facts=_facts(document, content, words), heads=(words.what, words.amount),
        lines=(_line(document, content, words),),
        total=(words.total, words.money(document.amount_minor, document.currency)),
        warning=words.is_test if content.is_test else "", note=words.note, page=words.page,
    )  # fmt: skip


def method_of(content: Content, words: Words) -> str:
    """Say how money came or went."""
    named = {"card": words.card, "bank": words.bank, "assigned": words.assigned, "returned": words.card,
             "taken_back": words.taken_back}  # fmt: skip
    return named.get(content.method, content.method)


def _party(role: str, party: Party, words: Words) -> tuple[str, tuple[str, ...]]:
    vat = (f"{words.vat_id} {party.vat_id}",) if party.vat_id else ()
    return role, (party.name, *filter(None, party.address.split("\n")), *vat)


def _facts(document: Document, content: Content, words: Words) -> tuple[tuple[str, str], ...]:
    when = words.sent_back if document.kind == "credit_note" else words.paid
    when = words.taken_on if content.method == "taken_back" else when
    method = method_of(content, words)
    is_day = content.method == "bank"  # a statement tells no hour
    return (
        (words.number, document.shown_number), (words.issued, words.day(document.issued_at)),
        (when, f"{content.paid_at:%Y-%m-%d}" if is_day else f"{content.paid_at:%Y-%m-%d %H:%M} UTC"),
        (words.payment, f"{method}, {content.payment_id}" if content.payment_id else method),
        (words.transaction, show_id("txn", document.transaction_id or document.about_id)),
    )  # fmt: skip


def _line(document: Document, content: Content, words: Words) -> Line:
    what = words.went_back if document.kind == "credit_note" else words.topped_up
    what = {"returned": words.came_back, "taken_back": words.taken_back}.get(content.method, what)
    below = tuple(
        words.of.format(number=one.number, amount=words.money(one.amount_minor, document.currency))
        for one in content.refers_to
    )
    return Line(what, words.money(document.amount_minor, document.currency), below)
