"""What a publisher wants for the leads of one of his sources: narrower than the vertical sells them, never wider."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select

from core.db import db
from core.errors import Fault, Invalid
from core.money import Money
from core.schemas import Amount
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.shelf import BOOK, get_vertical, raise_book_version, vertical_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.places import stop_waiting
from marketplace.leads.again.switching import switch_source, wake_source
from marketplace.leads.models import Event
from marketplace.leads.sources.models import SourceRule

LONGEST_NAME = 100


class SourceRuleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for a source's leads of a vertical; what is left out is lifted, and nothing said lifts the rule."""

    source: str
    vertical: str
    exclusive_only: bool = False
    most_buyers: int | None = None
    min_price: Amount | None = None
    offered_again: bool = True
    waits: bool = True
    aged_min_price: Amount | None = None


def set_source_rule(publisher_id: UUID, asked: SourceRuleBody, actor: str, at: datetime) -> SourceRule | None:
    """Say what holds for a source's leads posted from the commit on, and return it; None when that is nothing.

    Invalid `invalid_source_rule` with every fault, NotFound when there is no such vertical.
    """
    vertical_id, vertical = get_vertical(asked.vertical)
    if faults := list(_faults(asked, vertical)):
        raise Invalid("invalid_source_rule", "The source stays as it is; each fault is named.", faults)
    raise_book_version(vertical_id)  # first: whoever says something of a source here as well waits for us
    key = (publisher_id, asked.source.strip(), vertical_id)
    row = db.session.get(SourceRule, key, with_for_update=True)
    said, before = _values(asked, vertical), row is None or row.offered_again
    floor = row.aged_min_price_minor if row is not None else None
    is_said = said != _values(SourceRuleBody(source="", vertical=""), vertical)
    if row is None and is_said:
        row = SourceRule(publisher_id=key[0], source_name=key[1], vertical_id=vertical_id)
        db.session.add(row)
    if row is None:
        return None
    for name, value in said.items():
        setattr(row, name, value)
    row.changed_at = at
    if not is_said:
        db.session.delete(row)
    why = f"source {key[1]} in {vertical.slug}: " + (_told(asked) or "as the vertical sells")
    db.session.add(Event(subject_id=publisher_id, at=at, move="source>ruled", actor=actor, why=why))
    db.session.flush()
    if not asked.waits:
        stop_waiting(*key, at)
    if floor != said["aged_min_price_minor"]:
        wake_source(*key, at)
    if before != asked.offered_again:
        switch_source(*key, asked.offered_again, actor, at)
    return row if is_said else None


def source_rules_of(publisher_id: UUID) -> list[tuple[SourceRule, Vertical]]:
    """Return what holds for each of a publisher's sources, with its vertical."""
    query = select(SourceRule, *BOOK).join(VerticalRow, VerticalRow.id == SourceRule.vertical_id)
    query = query.where(SourceRule.publisher_id == publisher_id).order_by(
        SourceRule.source_name, SourceRule.vertical_id
    )
    return [(row, vertical_of(book)) for row, *book in db.session.execute(query)]


def _values(asked: SourceRuleBody, vertical: Vertical) -> dict[str, Any]:
    amounts = (asked.min_price, asked.aged_min_price)
    least, aged = (Money.parse(one.amount, vertical.currency).minor if one else None for one in amounts)
    return {"exclusive_only": asked.exclusive_only, "most_buyers": asked.most_buyers, "min_price_minor": least,
            "offered_again": asked.offered_again, "waits": asked.waits, "aged_min_price_minor": aged}  # fmt: skip


def _told(asked: SourceRuleBody) -> str:
    parts = [
        "one buyer only" if asked.exclusive_only else "",
        f"at most {asked.most_buyers} buyers" if asked.most_buyers else "",
        f"at least {asked.min_price.amount} {asked.min_price.currency}" if asked.min_price else "",
        "" if asked.offered_again else "never offered again",
        "" if asked.waits else "waiting for nobody",
        f"aged at least {asked.aged_min_price.amount} {asked.aged_min_price.currency}" if asked.aged_min_price else "",
    ]
    return ", ".join(part for part in parts if part)


def _faults(asked: SourceRuleBody, vertical: Vertical) -> Iterator[Fault]:
    name = asked.source.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        yield Fault("source", "invalid_name", f"Name the source as its leads do, in 1 to {LONGEST_NAME} letters.")
    ceiling = vertical.share.buyers_ceiling
    if asked.most_buyers is not None and asked.exclusive_only:
        yield Fault("most_buyers", "one_of_two", "Leave it out: who sells to one buyer only shares with nobody.")
    elif asked.most_buyers is not None and not 2 <= asked.most_buyers <= ceiling:
        yield Fault("most_buyers", "out_of_range", f"Say 2 to {ceiling}; for one buyer only, say exclusive_only.")
    yield from _money_faults("min_price", asked.min_price, vertical.currency, 1)
    yield from _money_faults("aged_min_price", asked.aged_min_price, vertical.currency, 0)


def _money_faults(field: str, asked: Amount | None, currency: str, least: int) -> Iterator[Fault]:
    if asked is None:
        return
    if asked.currency != currency:
        yield Fault(f"{field}.currency", "wrong_currency", f"Name the amount in {currency}.")
        return
    try:
        minor = Money.parse(asked.amount, currency).minor
    except ValueError as error:
        yield Fault(f"{field}.amount", "invalid_amount", f"Write the amount as a decimal string: {error}.")
        return
    if minor < least:
        message = "The amount must be more than zero." if least else "The amount must be zero or more."
        yield Fault(f"{field}.amount", "not_positive", message)
