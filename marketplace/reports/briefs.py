"""Briefs and deals as both sides see them on pages: with names, prices, and what was bought."""

import json
from dataclasses import dataclass
from uuid import UUID

from core.ids import show_id
from core.money import Money
from marketplace.catalog.shelf import verticals_by_id
from marketplace.deals.accepting import bought_of, deals_of
from marketplace.deals.briefs import body_of_brief
from marketplace.deals.models import Brief, Deal
from marketplace.orders.terms import OrderBody
from marketplace.reports.dispute_queue import names_of

MOST = 200
# What stands in columns of its own, or is the same for every brief.
BESIDE = frozenset({"name", "vertical", "regions", "price", "status", "model", "exclusivity"})


@dataclass(frozen=True, slots=True)
class BriefLine:
    """One brief with its buyer's name, its order, what it pays, and what else it asks for, as its body says that."""

    id: str
    row: Brief
    owner: str
    body: OrderBody
    price: Money
    asks: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DealLine:
    """One deal with the name of the other side, and what it has bought."""

    id: str
    row: Deal
    other: str
    bought: int


def brief_lines(rows: list[Brief]) -> list[BriefLine]:
    """Return briefs as pages show them."""
    owners, verticals = names_of({row.buyer_id for row in rows}), verticals_by_id()
    found = []
    for row in rows:
        body = body_of_brief(row)
        amount = body.price.amount if body.price else "0"
        price = Money.parse(amount, verticals[row.vertical_id].currency)
        found.append(BriefLine(show_id("brf", row.id), row, owners[row.buyer_id], body, price, asks_of(row)))
    return found


def asks_of(row: Brief) -> list[tuple[str, str]]:
    """Return what a brief asks for beside its columns: whoever promises leads must know which."""
    said = {name: value for name, value in row.body.items() if name not in BESIDE}
    return [
        (name, json.dumps(value, ensure_ascii=False)) for name, value in said.items()
        if value not in (None, [], {}, 0) or (name == "returns" and value is False)
    ]  # fmt: skip


def deal_lines(account_id: UUID) -> list[DealLine]:
    """Return the latest deals of which an account is one side."""
    rows = deals_of(account_id, None, MOST)
    others = {row.id: row.buyer_id if row.publisher_id == account_id else row.publisher_id for row in rows}
    names, bought = names_of(set(others.values())), bought_of(rows)
    return [DealLine(show_id("deal", row.id), row, names[others[row.id]], bought[row.id]) for row in rows]
