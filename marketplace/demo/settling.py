"""Setting the sample market up: its accounts, standing orders and wallets, by the functions that everybody uses."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from affiliates import open_publisher
from billing import Grant, Payee, credit_wallet, owing_of, put_in_funds, say_bank_account, set_credit_line, wallet_of
from core.db import transaction
from core.http import settings
from core.identity import add_member, make_key, open_account, sign_up
from core.ids import parse_id, show_id
from core.money import Money
from core.schemas import convert
from marketplace.demo.cast import OPERATOR, Cast
from marketplace.demo.market import SampleOrder
from marketplace.demo.paying import BY_CARD, pay_by_card
from marketplace.demo.state import Member, Placed
from marketplace.demo.wallets import line_of, offered, playing, price_of, refill
from marketplace.orders.standing import place_order
from marketplace.orders.terms import OrderBody

ACTOR = "system:demo"
LEAST_BY_CARD = 10_000  # of a first top-up
AHEAD = 5  # refills that are paid by card at once: each is a dozen calls to the stand-in
OWN_FUNDS = Money(1_000_000, "EUR")
# Of XX, which ISO 3166 keeps free for ever: the digits check, and no bank anywhere takes it for an account.
BANK = Payee("EUR", "Leadbourse demonstration", "XX91DEMO00000000000001", "DEMOXX2X")
LOGINS = {"Studiekiezer": "publisher@example.com", "École Ada": "buyer@example.com", OPERATOR: "operator@example.com"}


def names_of(cast: Cast) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and e-mail address of every account of the market."""
    for publisher in cast.market.publishers:
        yield "publisher", publisher.name, LOGINS.get(publisher.name, f"{publisher.slug}@example.com")
    for number, buyer in enumerate(playing(cast), 1):
        yield "buyer", buyer.name, LOGINS.get(buyer.name, f"buyer{number}@example.com")
    yield "operator", OPERATOR, LOGINS[OPERATOR]


def open_members(cast: Cast, password: str, at: datetime, created_at: datetime) -> tuple[dict[str, Member], str]:
    """Open every account with an API key; somebody of each kind can sign in, and act for all of that kind.

    Theirs are opened first, since a page shows the oldest account of whoever signs in. Returned beside them is how the
    books name the operator.
    """
    members, people = {}, {}
    with transaction():
        put_in_funds(OWN_FUNDS, "demo", "for the fees of cards", ACTOR, at)
        say_bank_account(BANK, ACTOR, at)
        for kind, name, email in sorted(names_of(cast), key=lambda one: one[1] not in LOGINS):
            account = open_account(kind, name, created_at)
            if kind == "publisher":
                open_publisher(account.id, at)
            if name in LOGINS:
                people[name], _ = sign_up(account.id, email, password, created_at)
            _, key = make_key(account, "demonstration", created_at)
            members[name] = Member(kind, show_id("acc", account.id), email, key)
        for name, login in LOGINS.items():
            for other in members.values():
                if other.kind == members[name].kind:
                    add_member(parse_id("acc", other.account_id), login)
    return members, f"user:{people[OPERATOR]}"


def place_orders(cast: Cast, members: dict[str, Member], at: datetime) -> dict[str, Placed]:
    """Place every order that can be, delivered to the portal until the market lives, and return them by id."""
    placed = {}
    with transaction():
        for buyer in playing(cast):
            account = parse_id("acc", members[buyer.name].account_id)
            if line_of(buyer):
                limit = Money.parse(str(line_of(buyer)), "EUR")
                set_credit_line(account, Grant(limit, buyer.behaviour.net_days, limit, "an insurer"), ACTOR, at)
            for order, slug in offered(buyer):
                body = convert(_body(order, slug), OrderBody)
                row = place_order(account, body, ACTOR, at)
                placed[show_id("ord", row.id)] = Placed(buyer.name, slug, order.delivery)
    return placed


def _body(order: SampleOrder, slug: str) -> dict[str, Any]:
    assert order.price is not None
    shared = {"exclusivity": "shared", "max_share": order.share} if order.share > 1 else {"exclusivity": "exclusive"}
    name = f"{slug} {', '.join(order.regions)}{', aged' if order.aged_days else ''}"
    return {
        "name": name, "vertical": slug, "regions": list(order.regions), **shared,
        "price": {"amount": str(price_of(order)), "currency": "EUR"},
        "temperatures": list(order.temperatures) or None,
        "caps": {"day": order.day_leads}, "schedule": {"timezone": "Europe/Paris"},
        "budget": {"day": {"amount": order.day_budget, "currency": "EUR"}} if order.day_budget else None,
        "age": {"from": order.aged_days[0], "to": order.aged_days[1]} if order.aged_days else None,
    }  # fmt: skip


def refill_wallets(cast: Cast, members: dict[str, Member], day: int, scale: float, at: datetime) -> None:
    """Refill the buyers' wallets for a day, once a day, one of them by card where a processor runs beside."""
    by_card: list[tuple[UUID, Money]] = []
    with transaction():
        for buyer in playing(cast):
            account = parse_id("acc", members[buyer.name].account_id)
            available = Decimal(str(wallet_of(account, "EUR").spendable))
            owes = line_of(buyer)  # who has no credit line owes nothing
            due = Decimal(str(owing_of([account], "EUR", at)[account].due)) if owes else Decimal()
            amount = refill(buyer, available, due, scale)
            if amount:
                money = Money.parse(str(amount), "EUR")
                if buyer.name == BY_CARD and settings().takes_cards and money.minor >= LEAST_BY_CARD:
                    by_card.append((account, Money(money.minor * AHEAD, "EUR")))
                    continue
                credit_wallet(account, money, f"demo:{day}:{account}", "demonstration funds", ACTOR, at)
    for account, money in by_card:
        pay_by_card(account, money, at)
