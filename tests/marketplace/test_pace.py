"""Weekdays, the pace over the open hours, and prices that fall with volume: in what they say, and in sales."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.db import transaction
from core.ids import parse_id
from marketplace.audit import audit_all
from marketplace.leads.replay import replay
from marketplace.orders.pace import Ladder, price_after, share_of_day
from marketplace.orders.periods import Schedule, Window, is_open
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import SetClock
from tests.factories import Market, Member

OFFICE = Schedule("Europe/Paris", (Window(tuple(range(7)), 9 * 60, 18 * 60),))
NIGHT = Schedule("Europe/Paris", (Window(tuple(range(7)), 22 * 60, 6 * 60),))
ALWAYS = Schedule("Europe/Paris")
LADDER = {"period": "day", "steps": [{"from": 3, "price": {"amount": "15.00", "currency": "EUR"}},
                                     {"from": 5, "price": {"amount": "9.00", "currency": "EUR"}}]}  # fmt: skip


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def prices(market: Market, publisher: Member, leads: int) -> list[str]:
    """Post so many leads and return what each was sold for, a dash for nobody."""
    answers = [publisher.post("/leads", market.lead()) for _ in range(leads)]
    return [answer["sales"][0]["price"]["amount"] if answer["sales"] else "-" for answer in answers]


@pytest.mark.parametrize(
    ("schedule", "at", "passed", "in_all"),
    [
        (OFFICE, datetime(2026, 11, 23, 7, 59, tzinfo=UTC), 0, 540),  # 08:59 in Paris
        (OFFICE, datetime(2026, 11, 23, 12, 30, tzinfo=UTC), 270, 540),
        (OFFICE, datetime(2026, 11, 23, 19, 0, tzinfo=UTC), 540, 540),
        (ALWAYS, datetime(2026, 10, 25, 22, 59, tzinfo=UTC), 25 * 60 - 1, 25 * 60),  # the day with an hour twice
        (ALWAYS, datetime(2027, 3, 28, 2, 0, tzinfo=UTC), 3 * 60, 23 * 60),  # the day without one
        (NIGHT, datetime(2026, 10, 25, 3, 0, tzinfo=UTC), 5 * 60, 9 * 60),  # 04:00, after five hours since midnight
    ],
)
def test_the_open_minutes_of_a_day_are_counted_as_they_pass(
    schedule: Schedule, at: datetime, passed: int, in_all: int
) -> None:
    assert share_of_day(schedule.timezone, schedule, at) == (passed, in_all)


@given(
    st.sampled_from([OFFICE, NIGHT, ALWAYS]), st.integers(0, 3 * 24 * 60), st.sampled_from(["2026-10-24", "2027-03-27"])
)
def test_passed_minutes_grow_by_one_in_each_open_minute(schedule: Schedule, minute: int, day: str) -> None:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minute)
    (before, in_all), (after, then) = (
        share_of_day(schedule.timezone, schedule, one) for one in (at, at + timedelta(minutes=1))
    )
    assert 0 <= before <= in_all
    if then == in_all and after:  # not over midnight
        assert after - before == is_open(schedule, at)


def test_a_ladder_names_the_price_of_the_next_lead() -> None:
    ladder = Ladder("day", ((3, 1500), (5, 900)))
    assert [price_after(2000, ladder, bought) for bought in range(6)] == [2000, 2000, 1500, 1500, 900, 900]
    assert price_after(2000, None, 99) == 2000


def test_the_price_falls_with_what_was_bought_in_the_period_and_starts_anew(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    order = market.make_order(market.make_buyer(), "20.00", ladder=LADDER)
    assert order["ladder"] == LADDER
    assert prices(market, publisher, 6) == ["20.00", "20.00", "15.00", "15.00", "9.00", "9.00"]
    clock.advance(days=1)
    assert prices(market, publisher, 3) == ["20.00", "20.00", "15.00"]


def test_an_order_competes_with_the_price_that_its_ladder_has_come_to(market: Market, publisher: Member) -> None:
    market.make_order(market.make_buyer(), "20.00", ladder=LADDER)
    market.make_order(market.make_buyer(), "16.00", caps={"total": 1})
    assert prices(market, publisher, 5) == ["20.00", "20.00", "16.00", "15.00", "15.00"]


def test_each_lead_of_a_race_has_the_price_of_its_place(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    steps = [{"from": 11, "price": {"amount": "15.00", "currency": "EUR"}},
             {"from": 31, "price": {"amount": "9.00", "currency": "EUR"}}]  # fmt: skip
    market.make_order(
        market.make_buyer("9000.00"), "20.00", ladder={"period": "total", "steps": steps}, caps={"day": 50}
    )
    with no_deadlocks(database_url, app):
        answers = at_once([lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(80)])
    sold = Counter(sale["price"]["amount"] for answer in answers for sale in answer["sales"])
    assert sold == {"20.00": 10, "15.00": 20, "9.00": 20}
    with app.app_context(), transaction() as session:
        assert [check.name for check in audit_all(session).checks if not check.ok] == []


def test_why_and_replay_know_the_price_of_that_moment(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, "20.00", ladder=LADDER)
    market.make_order(market.make_buyer(), "16.00", caps={"total": 1})
    prices(market, publisher, 3)
    [lead] = publisher.get("/leads?limit=1")["items"]
    [reason] = buyer.get(f"/leads/{lead['id']}/why")["items"]
    assert (reason["outcome"], reason["bid"]["amount"]) == ("outbid", "15.00")
    leads = [row[0] for row in ask(database_url, "SELECT id FROM marketplace.leads")]
    with app.app_context(), transaction():
        assert all(replay(one).is_same for one in leads)


def test_a_cap_of_a_weekday_holds_on_that_day_only(market: Market, publisher: Member, clock: SetClock) -> None:
    clock.instant = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
    buyer = market.make_buyer()
    order = market.make_order(buyer, "20.00", caps={"day": 5, "weekday": {"mon": 2}})
    assert prices(market, publisher, 3) == ["20.00", "20.00", "-"]
    [lead] = publisher.get("/leads?limit=1")["items"]
    assert buyer.get(f"/leads/{lead['id']}/why")["items"][0]["detail"] == "Reached: mon cap 2 of 2."
    buyer.request("PATCH", f"/orders/{order['id']}", {"caps": {"total": 100}})
    assert prices(market, publisher, 1) == ["-"]  # a change of another cap leaves it
    clock.advance(days=1)
    assert prices(market, publisher, 6) == ["20.00"] * 5 + ["-"]


def test_a_pace_lets_the_days_cap_through_by_the_open_minutes(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    hours = {"timezone": "UTC", "windows": [{"days": ["mon"], "from": "09:00", "to": "19:00"}]}
    clock.instant = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    buyer = market.make_buyer()
    market.make_order(buyer, "20.00", caps={"day": 10}, pacing=True, schedule=hours)
    assert prices(market, publisher, 2) == ["20.00", "-"]
    [lead] = publisher.get("/leads?limit=1")["items"]
    assert buyer.get(f"/leads/{lead['id']}/why")["items"][0]["detail"] == "Reached: pace 1 of 1."
    clock.advance(hours=5)
    assert prices(market, publisher, 7) == ["20.00"] * 5 + ["-"] * 2
    clock.advance(hours=4, minutes=59)
    assert prices(market, publisher, 5) == ["20.00"] * 4 + ["-"]


def test_a_pace_of_the_budget_lets_the_first_lead_through_whatever_it_costs(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    clock.instant = clock.instant.replace(hour=0, minute=1)
    dearer = [{"field": "region", "values": ["FR"], "percent": 50}]
    market.make_order(
        market.make_buyer(),
        "20.00",
        budget={"day": {"amount": "100.00", "currency": "EUR"}},
        pacing=True,
        modifiers=dearer,
    )
    answers = [publisher.post("/leads", market.lead())["sales"] for _ in range(2)]
    assert [[sale["price"]["amount"] for sale in sales] for sales in answers] == [["30.00"], []]


def test_a_pace_is_exact_under_a_race(
    app: Flask, market: Market, publisher: Member, clock: SetClock, database_url: str
) -> None:
    clock.instant = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    budget = {"day": {"amount": "600.00", "currency": "EUR"}}
    market.make_order(market.make_buyer("9000.00"), "20.00", budget=budget, pacing=True)
    with no_deadlocks(database_url, app):
        answers = at_once([lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(48)])
    assert Counter(answer["status"] for answer in answers) == {"sold": 16, "unsold": 32}  # half of it, and one more


def test_what_contradicts_itself_is_named(market: Market) -> None:
    buyer = market.make_buyer()

    def codes(**terms: Any) -> list[str]:
        body = {"name": "an order", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}} | terms
        answer = buyer.request("POST", "/orders", body)
        assert answer.status_code == 422, answer.text
        return [fault["code"] for fault in answer.json["errors"]]

    def ladder(*steps: tuple[int, str]) -> dict[str, Any]:
        named = [{"from": count, "price": {"amount": amount, "currency": "EUR"}} for count, amount in steps]
        return {"period": "day", "steps": named}

    assert codes(ladder=ladder((10, "4.19"))) == ["below_minimum_price"]
    assert codes(ladder=ladder((10, "15.00"), (10, "14.00"))) == ["out_of_order"]
    assert codes(ladder=ladder((10, "20.00"))) == ["out_of_order"]
    assert codes(ladder=ladder((1, "19.00"))) == ["out_of_order"]
    assert codes(ladder=ladder()) == ["out_of_range"]
    assert codes(ladder={"period": "year", "steps": ladder((2, "9.00"))["steps"]}) == ["unknown_value"]
    assert codes(pacing=True) == ["needs_day_limit"]
    assert codes(caps={"day": 3, "weekday": {"sat": 4}}) == ["contradicts"]
    assert codes(caps={"weekday": {"caturday": 4, "mon": 0}}) == ["unknown_value", "out_of_range"]


def test_the_ladder_says_the_price_of_the_place_and_the_lead_changes_that_one(
    app: Flask, market: Market, publisher: Member
) -> None:
    """Rounded once: 10.01 and 25 % is 12.5125, and 0.33 more is 12.84; the ceiling and the floor come last."""
    steps = [{"from": 2, "price": euros("10.01")}, {"from": 4, "price": euros("5.00")}]
    changes = [{"field": "temperature", "values": ["warm", "hot"], "percent": 25},
               {"field": "region", "values": ["FR"], "amount": euros("0.33")}]  # fmt: skip
    market.make_order(market.make_buyer(), "20.00", ladder={"period": "total", "steps": steps}, modifiers=changes,
                      price_ceiling=euros("24.00"), price_floor=euros("7.00"))  # fmt: skip
    market.make_order(market.make_buyer(), "12.70")
    leads = [publisher.post("/leads", market.lead()) for _ in range(5)]
    prices = [lead["sales"][0]["price"]["amount"] for lead in leads]
    assert prices == ["24.00", "12.84", "12.84", "12.70", "12.70"]
    with app.app_context():
        assert all(replay(parse_id("lead", lead["id"])).is_same for lead in leads)


def test_a_step_that_the_lead_makes_dearer_than_the_one_before_competes_with_what_it_pays(
    market: Market, publisher: Member
) -> None:
    """Two fields take 150 % off, so that the lower step loses less: 20.00 - 30.00 + 18.00 = 8.00, then 10.00 → 13.00."""
    steps = [{"from": 2, "price": euros("10.00")}]
    changes = [{"field": "temperature", "values": ["warm", "hot"], "percent": -75},
               {"field": "region", "values": ["FR"], "percent": -75},
               {"field": "contact_class", "values": ["quick", "registration", "promotional", "interested"],
                "amount": euros("18.00")}]  # fmt: skip
    market.make_order(market.make_buyer(), "20.00", ladder={"period": "total", "steps": steps}, modifiers=changes)
    leads = [publisher.post("/leads", market.lead()) for _ in range(2)]
    market.make_order(market.make_buyer(), "12.99")
    leads.append(publisher.post("/leads", market.lead()))
    assert [lead["sales"][0]["price"]["amount"] for lead in leads] == ["8.00", "13.00", "13.00"]
