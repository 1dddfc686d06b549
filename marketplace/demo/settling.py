"""Setting the sample market up: its accounts, standing orders and wallets, by the functions that everybody uses."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from affiliates import open_publisher
from billing import credit_wallet, wallet_of
from core.db import transaction
from core.identity import make_key, open_account, sign_up
from core.ids import parse_id, show_id
from core.money import Money
from core.schemas import convert
from marketplace.demo.cast import OPERATOR, Cast
from marketplace.demo.market import Behaviour, Buyer, SampleOrder
from marketplace.demo.state import Member, Placed
from marketplace.orders.standing import place_order
from marketplace.orders.terms import OrderBody

ACTOR = "system:demo"
LOGINS = {"Studiekiezer": "publisher@example.com", "École Ada": "buyer@example.com", OPERATOR: "operator@example.com"}
COVER_DAYS = 6  # of what a buyer may spend, in its wallet after a refill


def names_of(cast: Cast) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and e-mail address of every account of the market."""
    for publisher in cast.market.publishers:
        yield "publisher", publisher.name, LOGINS.get(publisher.name, f"{publisher.slug}@example.com")
    for number, buyer in enumerate(playing(cast), 1):
        yield "buyer", buyer.name, LOGINS.get(buyer.name, f"buyer{number}@example.com")
    yield "operator", OPERATOR, LOGINS[OPERATOR]


def playing(cast: Cast) -> list[Buyer]:
    """Return the buyers of whose orders at least one can be placed by now."""
    return [buyer for buyer in cast.market.buyers if any(True for _ in offered(buyer))]


def offered(buyer: Buyer) -> Iterator[tuple[SampleOrder, str]]:
    """Yield what a buyer can order by now, with the vertical: prices per lead, in the vertical's own currency."""
    for order in buyer.orders:
        if order.model == "cpl" and order.price is not None and buyer.currency == "EUR":
            for slug in order.verticals:
                yield order, slug


def open_members(cast: Cast, password: str, at: datetime, created_at: datetime) -> dict[str, Member]:
    """Open every account with an API key; one of each kind has somebody who can sign in."""
    members = {}
    with transaction():
        for kind, name, email in names_of(cast):
            account = open_account(kind, name, created_at)
            if kind == "publisher":
                open_publisher(account.id, at)
            if name in LOGINS:
                sign_up(account.id, email, password, created_at)
            _, key = make_key(account, "demonstration", created_at)
            members[name] = Member(kind, show_id("acc", account.id), email, key)
    return members


def place_orders(cast: Cast, members: dict[str, Member], at: datetime) -> dict[str, Placed]:
    """Place every order that can be, delivered to the portal until the market lives, and return them by id."""
    placed = {}
    with transaction():
        for buyer in playing(cast):
            account = parse_id("acc", members[buyer.name].account_id)
            for order, slug in offered(buyer):
                body = convert(_body(order, slug), OrderBody)
                row = place_order(account, body, ACTOR, at)
                placed[show_id("ord", row.id)] = Placed(buyer.name, slug, order.delivery)
    return placed


def _body(order: SampleOrder, slug: str) -> dict[str, Any]:
    assert order.price is not None
    shared = {"exclusivity": "shared", "max_share": order.share} if order.share > 1 else {"exclusivity": "exclusive"}
    where = ", ".join(order.regions)
    return {
        "name": f"{slug} {where}", "vertical": slug, "regions": list(order.regions), **shared,
        "price": {"amount": str(price_of(order)), "currency": "EUR"},
        "temperatures": list(order.temperatures) or None,
        "caps": {"day": order.day_leads}, "schedule": {"timezone": "Europe/Paris"},
        "budget": {"day": {"amount": order.day_budget, "currency": "EUR"}} if order.day_budget else None,
    }  # fmt: skip


def price_of(order: SampleOrder) -> Decimal:
    """Return the one price of a standing order: the middle of what its buyer bids."""
    assert order.price is not None
    return (sum(map(Decimal, order.price), Decimal()) / 2).quantize(Decimal("0.01"))


def daily_need(buyer: Buyer) -> Decimal:
    """Return the most that a buyer spends on a day by its orders' caps."""
    return sum((price_of(order) * (order.day_leads or 25) for order, _ in offered(buyer)), Decimal())


def refill(buyer: Buyer, available: Decimal, scale: float) -> Decimal:
    """Return what to add to a wallet at the beginning of a day; who pays in advance and little gets up to its level."""
    level, floor = _level(buyer.behaviour, daily_need(buyer), scale)
    return max(level - available, Decimal()).quantize(Decimal("0.01")) if available < floor else Decimal()


def _level(does: Behaviour, need: Decimal, scale: float) -> tuple[Decimal, Decimal]:
    if does.low_wallet is not None:
        level = max(Decimal(does.low_wallet) * Decimal(str(scale)), Decimal(5))
        return level, level
    return need * COVER_DAYS, need * 2


def refill_wallets(cast: Cast, members: dict[str, Member], day: int, scale: float, at: datetime) -> None:
    """Refill the buyers' wallets for a day, once a day."""
    with transaction():
        for buyer in playing(cast):
            account = parse_id("acc", members[buyer.name].account_id)
            available = Decimal(str(wallet_of(account, "EUR").spendable))
            amount = refill(buyer, available, scale)
            if amount:
                money = Money.parse(str(amount), "EUR")
                credit_wallet(account, money, f"demo:{day}:{account}", "demonstration funds", ACTOR, at)
