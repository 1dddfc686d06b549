"""One race: leads that all come at once to orders which can take only some of them, and what must hold afterwards.

Limits of every kind compete in it: caps, budgets, weekdays, wallets, ladders, a deal, and limits of buyers over all of
their orders. Nobody gets room or money back meanwhile, so whoever could still buy at the end could have bought a
lead that stayed unsold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID

from flask import Flask

from affiliates import open_publisher
from benchmarks.stage.market import REGIONS, lead_body
from billing import credit_wallet
from core.db import db, transaction
from core.identity import open_account
from core.money import Money
from core.schemas import convert, decode
from marketplace.audit import audit_all
from marketplace.deals.accepting import accept_brief
from marketplace.deals.briefs import BriefBody, post_brief
from marketplace.leads.desk import desk
from marketplace.leads.intake import Intake, Sender
from marketplace.leads.submission import Submission
from marketplace.orders.buyer_limits import BuyerLimitsBody
from marketplace.orders.limiting import set_buyer_limits
from marketplace.orders.periods import DAYS
from marketplace.orders.standing import pause_order, place_order
from marketplace.orders.terms import OrderBody

LEADS, THREADS = 500, 32
PERSONS_A_RACE = 1_000
FIRST_PERSON = 10_000_000
ACTOR = "system:bench"
RICH = 10_000_000  # more than anybody can spend in a race
_BOUGHT = "SELECT order_id, buyer_id, price_minor FROM marketplace.sales WHERE publisher_id = :publisher"


@dataclass
class Field:
    """Who takes part: what every order and buyer may buy at most, in leads and in minor units."""

    publisher_id: UUID
    at: datetime
    most_leads: dict[UUID, int] = field(default_factory=dict)
    most_minor: dict[UUID, int] = field(default_factory=dict)
    ladders: dict[UUID, tuple[int, int, int]] = field(default_factory=dict)  # dear ones, their price, the price after
    orders: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)  # the buyer and the price of each


@dataclass(frozen=True, slots=True)
class Race:
    """What came of a race: how many leads were sold, to how many buyers in all, and what was wrong."""

    leads: Counter[str]
    sales: int
    breaches: list[str]


def race(apps: Sequence[Flask], number: int, at: datetime, leads: int = LEADS, threads: int = THREADS) -> Race:
    """Hold the race of this number at an instant, over several applications on one database; the first has its context.

    Afterwards nobody of it buys any more.
    """
    entered = _enter(Random(number), number, at)
    intakes = [_intake_of(app) for app in apps]
    first = FIRST_PERSON + number * PERSONS_A_RACE
    sender = Sender(entered.publisher_id, None, by=ACTOR)
    said = _post_all(intakes, sender, [_lead(first + place, at) for place in range(leads)], threads)
    statuses = Counter(one for one in said if one)
    breaches = [*_breaches(entered)]
    if not statuses["unsold"] or set(statuses) - {"sold", "unsold"}:
        breaches.append(f"no race at all: {dict(statuses)}")
    with transaction():
        for order in entered.orders:
            pause_order(order, ACTOR, at)
    return Race(statuses, sum(_bought(entered).values()), breaches)


def _intake_of(app: Flask) -> Intake:
    with app.app_context():
        return desk().intake


def _lead(person: int, at: datetime) -> Submission:
    return decode(lead_body(REGIONS[0], str(person), at), Submission)


def _post_all(intakes: list[Intake], sender: Sender, leads: list[Submission], threads: int) -> list[str]:
    barrier = Barrier(threads)

    def post(place: int) -> str:
        return str(intakes[place % len(intakes)].take(leads[place], sender).result["status"])

    with ThreadPoolExecutor(threads, initializer=lambda: barrier.wait(60)) as pool:
        return list(pool.map(post, range(len(leads))))


def _enter(dice: Random, number: int, at: datetime) -> Field:
    """Let a publisher and some fourteen buyers with limits of every kind take part."""
    with transaction():
        publisher = open_account("publisher", f"Publisher of race {number}", at)
        open_publisher(publisher.id, at)
        entered = Field(publisher.id, at)
        _plain(entered, dice)
        _of_wallets(entered, dice)
        _of_buyers(entered, dice)
        _laddered(entered, dice)
    with transaction():
        _deal(entered, dice)
    return entered


def _plain(entered: Field, dice: Random) -> None:
    """Enter orders with caps, caps of weekdays, and budgets, some of which share."""
    for _ in range(3):
        cap = dice.randrange(5, 40)
        order = _order(entered, _buyer(entered), dice, caps={dice.choice(["hour", "day", "total"]): cap})
        entered.most_leads[order] = cap
    cap = dice.randrange(5, 20)
    weekday = dict.fromkeys(DAYS, cap)
    entered.most_leads[_order(entered, _buyer(entered), dice, caps={"day": 400, "weekday": weekday})] = cap
    for _ in range(2):
        minor = dice.randrange(5_000, 30_000)
        order = _order(entered, _buyer(entered), dice, budget={dice.choice(["week", "month"]): _eur(minor)})
        entered.most_minor[order] = minor


def _of_wallets(entered: Field, dice: Random) -> None:
    """Enter buyers whose money is all that limits them, each with orders at two prices."""
    for _ in range(2):
        minor = dice.randrange(10_000, 60_000)
        buyer = _buyer(entered, minor)
        entered.most_minor[buyer] = minor
        for _ in range(2):
            _order(entered, buyer, dice)


def _of_buyers(entered: Field, dice: Random) -> None:
    """Enter buyers who are limited over all of their orders: by leads, by money, and by both."""
    for limits in ("caps", "budget", "both"):
        buyer, cap, minor = _buyer(entered), dice.randrange(10, 60), dice.randrange(10_000, 50_000)
        body: dict[str, Any] = {"timezone": dice.choice(["UTC", "Europe/Paris", "Asia/Tokyo"])}
        if limits != "budget":
            body["caps"], entered.most_leads[buyer] = {"day": cap}, cap
        if limits != "caps":
            body["budget"], entered.most_minor[buyer] = {"total": _eur(minor)}, minor
        _order(entered, buyer, dice)
        set_buyer_limits(buyer, convert(body, BuyerLimitsBody), ACTOR, entered.at)
        own = dice.randrange(5, 40)
        entered.most_leads[_order(entered, buyer, dice, caps={"day": own})] = own
        _order(entered, buyer, dice)


def _laddered(entered: Field, dice: Random) -> None:
    """Enter an order whose price falls once."""
    dear, price, then, cap = dice.randrange(3, 20), dice.randrange(1_200, 2_500), dice.randrange(600, 1_100), 40
    ladder = {"period": dice.choice(["day", "total"]), "steps": [{"from": dear + 1, "price": _eur(then)}]}
    order = _order(entered, _buyer(entered), dice, price, ladder=ladder, caps={"total": cap}, exclusivity="exclusive")
    entered.ladders[order], entered.most_leads[order] = (dear, price, then), cap


def _deal(entered: Field, dice: Random) -> None:
    """Enter a deal with the publisher, served before all others."""
    buyer, volume, price = _buyer(entered), dice.randrange(5, 40), dice.randrange(500, 900)
    asked = {"order": _body(price), "volume": volume,
             "ends_at": entered.at + timedelta(days=3)}  # fmt: skip
    brief = post_brief(buyer, convert(asked, BriefBody), ACTOR, entered.at)
    deal = accept_brief(entered.publisher_id, brief.id, None, ACTOR, entered.at)
    entered.orders[deal.order_id] = buyer, price
    entered.most_leads[deal.order_id] = volume


def _buyer(entered: Field, minor: int = RICH) -> UUID:
    buyer = open_account("buyer", "A buyer of a race", entered.at)
    funds = credit_wallet(buyer.id, Money(minor, "EUR"), f"race {buyer.id}", "funds to race with", ACTOR, entered.at)
    assert funds.is_booked
    return buyer.id


def _order(entered: Field, buyer: UUID, dice: Random, minor: int = 0, **more: Any) -> UUID:
    shared = {"exclusivity": "shared", "max_share": dice.choice([2, 3])} if dice.random() < 0.4 else {}
    price = minor or dice.choice([700, 800, 900, 1_000, 1_100])
    body = _body(price) | shared | more
    order = place_order(buyer, convert(body, OrderBody), ACTOR, entered.at)
    entered.orders[order.id] = buyer, price
    return order.id


def _body(minor: int) -> dict[str, Any]:
    return {"name": "An order of a race", "vertical": "education", "price": _eur(minor)}


def _eur(minor: int) -> dict[str, str]:
    return Money(minor, "EUR").as_json()


def _bought(entered: Field) -> Counter[UUID]:
    rows = db.session.execute(db.text(_BOUGHT), {"publisher": entered.publisher_id}).all()
    db.session.rollback()
    return Counter(row.order_id for row in rows)


def _breaches(entered: Field) -> Iterator[str]:
    """Name who bought more than he may, or less than he could, prices no ladder says, books that do not hold."""
    rows = db.session.execute(db.text(_BOUGHT), {"publisher": entered.publisher_id}).all()
    leads = Counter(one for row in rows for one in (row.order_id, row.buyer_id))
    spent: Counter[UUID] = Counter()
    for row in rows:
        spent.update({row.order_id: row.price_minor, row.buyer_id: row.price_minor})
    yield from (f"{one} bought {leads[one]} of {most}" for one, most in entered.most_leads.items() if leads[one] > most)
    yield from (f"{one} spent {spent[one]} of {most}" for one, most in entered.most_minor.items() if spent[one] > most)
    for order, (buyer, price) in entered.orders.items():
        due = _price_now(entered, order, price, leads[order])
        if all(leads[one] < entered.most_leads.get(one, LEADS + 1)
               and spent[one] + due <= entered.most_minor.get(one, RICH) for one in (order, buyer)):  # fmt: skip
            yield f"{order} could have bought one more at {due}: {leads[order]} leads, {spent[buyer]} of its buyer"
    for order, (dear, price, then) in entered.ladders.items():
        paid = Counter(row.price_minor for row in rows if row.order_id == order)
        said = Counter([price] * min(dear, leads[order]) + [then] * max(leads[order] - dear, 0))
        if paid != said:
            yield f"{order} paid {dict(paid)} where its ladder says {dict(said)}"
    yield from (f"books: {check.name}" for check in audit_all(db.session).checks if not check.ok)
    db.session.rollback()


def _price_now(entered: Field, order: UUID, price: int, bought: int) -> int:
    dear, _, then = entered.ladders.get(order, (bought + 1, 0, 0))
    return then if bought >= dear else price
