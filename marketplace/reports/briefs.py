"""Briefs and deals as both sides see them on pages: with names, prices, and what was bought."""

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


@dataclass(frozen=True, slots=True)
class BriefLine:
    """One brief with its buyer's name, its order, and what it pays."""

    id: str
    row: Brief
    owner: str
    body: OrderBody
    price: Money


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
        found.append(BriefLine(show_id("brf", row.id), row, owners[row.buyer_id], body, price))
    return found


def deal_lines(account_id: UUID) -> list[DealLine]:
    """Return the latest deals of which an account is one side."""
    rows = deals_of(account_id, None, MOST)
    others = {row.id: row.buyer_id if row.publisher_id == account_id else row.publisher_id for row in rows}
    names, bought = names_of(set(others.values())), bought_of(rows)
    return [DealLine(show_id("deal", row.id), row, names[others[row.id]], bought[row.id]) for row in rows]
