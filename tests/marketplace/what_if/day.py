"""A simulated day: every rule of distribution, deals, ladders, the pace, prices by the lead, credit, sources, refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from flask import Flask

from core.clock import as_rfc3339
from core.db import transaction
from core.ids import parse_id
from core.money import Money
from core.outbound import Outbound
from marketplace.cli.accounts import credit_by_hand
from marketplace.credit.granting import Line, grant_line
from marketplace.leads.delivery.courier import deliver_due
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_distributed import change, shared
from tests.marketplace.test_suppression import send

NO = b'{"accepted": false, "reason": "known customer"}'
RULES = ("best_price", "priority", "round_robin", "weighted", "tiers")
REGIONS = ("FR-IDF", "FR-75C", "FR-ARA")


@dataclass
class Day:
    """Who took part, and what may be changed afterwards."""

    publishers: list[Member]
    buyers: dict[str, Member]
    orders: dict[str, str]
    operator: Member
    leads: list[Any]


def euros(amount: str) -> dict[str, str]:
    """Write an amount as the API does."""
    return {"amount": amount, "currency": "EUR"}


def live_a_day(
    app: Flask, market: Market, clock: SetClock, leads: int = 150, *, refusals: bool = True, name: str = "",
    first: Callable[[Day], None] | None = None, vertical: Mapping[str, Any] | None = None,
) -> Day:  # fmt: skip
    """Let a day pass: so many leads at irregular intervals, whoever acts in between; always the same one.

    `first` is done before the first lead; `vertical` is said of the vertical whatever else it says. Without `refusals`
    nobody refuses or returns a lead. Days of different names have different persons.
    """
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)
    with open_endpoint(answer=NO if refusals else b"") as picky:
        day = opened(market, clock, picky.url, name)
        dice = Random(20261127)
        if first is not None:
            clock.advance(seconds=1)
            first(day)
        for number in range(leads):
            clock.advance(seconds=dice.randrange(200, 900))
            if number % 30 == 0:
                turn_to(market, day, RULES[number // 30 % len(RULES)], vertical or {})
            clock.advance(seconds=1)
            meddle(market, clock, day, number)
            clock.advance(seconds=1)
            day.leads.append(dice.choice(day.publishers).post("/leads", a_lead(market, dice, name)))
            clock.advance(seconds=1)
            deliver_due(clock.now())
            if refusals and number % 9 == 0:
                return_one(day, number)
    return day


def close(day: Day) -> None:
    """Let none of a day's orders buy any more."""
    for name, order in day.orders.items():
        day.buyers[name].request("PATCH", f"/orders/{order}", {"status": "paused"})
    [deal] = day.buyers["asker"].get("/deals")["items"]
    day.buyers["asker"].request("POST", f"/deals/{deal['id']}/cancel", {})


def opened(market: Market, clock: SetClock, url: str, name: str) -> Day:
    """Open the market: orders of every kind, a deal, a list that keeps away, a credit line, a rule of a source."""
    buyers = {name: market.make_buyer(funds) for name, funds in (
        ("capped", "900.00"), ("sharing", "400.00"), ("twice", "500.00"), ("laddered", "900.00"), ("paced", "900.00"),
        ("poor", "60.00"), ("on_credit", "20.00"), ("picky", "2000.00"), ("by_lead", "300.00"), ("asker", "500.00"),
        ("third", "500.00"))}  # fmt: skip
    steps = [{"from": 4, "price": euros("11.00")}, {"from": 9, "price": euros("7.50")}]
    day_and_night = {"timezone": "Europe/Paris"}
    made = {
        "capped": ("20.00", {"caps": {"hour": 2, "day": 9}, "regions": ["FR"]}),
        "sharing": ("9.00", shared(3) | {"budget": {"day": euros("110.00")}}),
        "twice": ("8.50", shared(2)), "third": ("8.00", shared(3) | {"caps": {"total": 40}}),
        "laddered": ("17.00", {"ladder": {"period": "day", "steps": steps}}),
        "paced": ("14.00", {"caps": {"day": 12}, "pacing": True, "schedule": day_and_night}),
        "poor": ("15.00", {"temperatures": None}), "on_credit": ("13.00", {}),
        "picky": ("18.00", {"delivery": {"kind": "webhook", "url": url}, "caps": {"day": 30}}),
        "by_lead": ("10.00", {"modifiers": [{"field": "region", "values": ["FR-75C"], "percent": 60}]}),
    }  # fmt: skip
    orders = {name: market.make_order(buyers[name], price, name=name, **terms)["id"]
              for name, (price, terms) in made.items()}  # fmt: skip
    publishers, operator = [market.make_publisher(), market.make_publisher()], market.make_operator()
    send(buyers["capped"], f"known{name}@example.com", query="suppress=true")
    with transaction():
        line = Line(Money.parse("90.00", "EUR"), 15, "agreed by phone", 0, is_above=True)
        grant_line(parse_id("acc", buyers["on_credit"].id), line, "operator:test", clock.now())
    until = as_rfc3339(clock.now() + timedelta(days=30))
    order = {"name": "made for us", "vertical": "education", "price": euros("12.00")}
    brief = buyers["asker"].post("/briefs", {"order": order, "volume": 8, "ends_at": until})
    publishers[1].post(f"/briefs/{brief['id']}/accept", {"leads": 6})
    rule = {"source": "narrow", "vertical": "education", "most_buyers": 2, "min_price": euros("7.50")}
    assert publishers[0].request("PUT", "/source-rules", rule).status_code == 200
    return Day(publishers, buyers, orders, operator, [])


def turn_to(market: Market, day: Day, rule: str, more: dict[str, Any]) -> None:
    """Let the vertical go by another rule, with bands of margin from the third on, and the orders stand anew."""
    contest = {"priority": "first", "weighted": "shared"}.get(rule, "total_value")
    margin = [] if rule in RULES[:2] else [{"from": "0.00", "bp": 2500}, {"from": "10.00", "amount": "3.00"}]
    dearer = [{"amount": "9.00", "region": "FR-ARA"}] if rule == "tiers" else []
    said = {"rule": rule, "contest": contest, "fall_back": True}
    asked: dict[str, Any] = {"distribution": said, "margin": margin, "min_prices": dearer, **more}
    assert change(day.operator, market, **asked).status_code == 200
    placed = [{"order": order, "priority": place % 3 + 1, "target_share": place % 4 + 1}
              for place, order in enumerate(day.orders.values())]  # fmt: skip
    assert day.operator.request("PUT", "/verticals/education/places", {"orders": placed}).status_code == 200


def meddle(market: Market, clock: SetClock, day: Day, number: int) -> None:
    """Do what buyers do in a day: change, pause and resume orders, pay in."""
    if number == 40:
        day.buyers["capped"].request("PATCH", f"/orders/{day.orders['capped']}", {"price": euros("16.00")})
    elif number == 55:
        day.buyers["twice"].request("PATCH", f"/orders/{day.orders['twice']}", {"status": "paused"})
    elif number == 75:
        day.buyers["twice"].request("PATCH", f"/orders/{day.orders['twice']}", {"status": "active"})
    elif number == 90:
        credit_by_hand(day.buyers["poor"].id, "45.00", "EUR", "paid in")


def a_lead(market: Market, dice: Random, name: str) -> dict[str, Any]:
    """Write a lead: some of persons who came before, some from the narrow source, some for one buyer only, some tests."""
    said: dict[str, Any] = {"region": dice.choice(REGIONS), "channel": dice.choice(["search", "social", "email"])}
    if dice.random() < 0.12:
        said["contact"] = {"first_name": "Ada", "email": f"again{name}{dice.randrange(12)}@example.com"}
    if dice.random() < 0.04:
        said["contact"] = {"first_name": "Ada", "email": f"known{name}@example.com"}
    if dice.random() < 0.15:
        said["source"] = {"name": "narrow"}
    if dice.random() < 0.1:
        said["exclusive_only"] = True
    if dice.random() < 0.15:
        said["min_price"] = euros(dice.choice(["6.00", "11.20"]))
    return market.lead(**said, test=dice.random() < 0.04)


def return_one(day: Day, number: int) -> None:
    """Let a buyer dispute what he bought last, and uphold it."""
    buyer = day.buyers[list(day.buyers)[number % len(day.buyers)]]
    sale = next((one for one in buyer.get("/sales")["items"] if one["state"] == "delivered"), None)
    if sale is not None:
        opened = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})
        day.operator.post(f"/disputes/{opened['id']}/resolve", {"decision": "uphold", "note": "a robot"})
