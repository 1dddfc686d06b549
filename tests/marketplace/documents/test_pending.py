"""What is held for a publisher: each amount with why and the day of its release, by line and by week, on all sides alike."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from core.money import Money
from marketplace.jobs import run_due
from marketplace.reports.pending import PendingWeek, weeks_from
from tests.conftest import START, SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.test_late_claims import short_window
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


def pending(deal: Deal, query: str = "") -> Any:
    return deal.publisher.get(f"/balance/pending{query}")


def test_each_sale_says_why_it_is_held_and_until_when(market: Market, clock: SetClock) -> None:
    deal = make_deal(market)
    [line] = pending(deal)["items"]
    assert (line["sale"], line["why"], line["amount"]["amount"]) == (deal.sale, "dispute_window", "14.00")
    assert line["until"] == "2026-12-22T10:00:00Z" and "claim" in line["why_said"]
    deal.dispute()
    assert pending(deal)["items"][0]["why"] == "disputed"


def test_after_the_window_only_the_tiers_days_are_waited_for_then_the_reserve(market: Market, clock: SetClock) -> None:
    deal = make_deal(market)
    clock.advance(days=11)
    assert pending(deal)["items"][0]["why"] == "hold"
    run_due(clock.advance(days=19))
    told = pending(deal)
    [line] = told["items"]
    assert (line["kind"], line["why"], line["amount"]["amount"]) == ("reserve", "reserve", "2.80")
    assert line["until"] == "2027-02-05T10:00:00Z" and told["together"]["amount"] == "2.80"
    run_due(clock.advance(days=45))
    assert pending(deal)["items"] == [] and pending(deal)["weeks"] == []


def test_what_is_not_delivered_has_no_day_yet(market: Market) -> None:
    deal = make_deal(market, delivery={"kind": "webhook", "url": "https://buyer.example.com/leads"})
    told = pending(deal)
    assert (told["items"][0]["why"], told["items"][0]["until"], told["weeks"][0]["begins"]) == (
        "not_delivered",
        None,
        None,
    )
    assert "once delivered" in words_of(visitor_of(market, deal.publisher).open("/publisher/pending"))


def test_lines_are_paged_in_the_order_of_release_and_sum_to_the_weeks_and_the_balance(
    market: Market, clock: SetClock
) -> None:
    short_window()
    publisher, buyer = market.make_publisher(), market.make_buyer("3000.00")
    market.make_order(buyer, "13.37")
    for _ in range(4):
        for _ in range(30):
            publisher.post("/leads", market.lead())
        run_due(clock.advance(days=8))
    read, cursor = [], ""
    while True:
        part = publisher.get(f"/balance/pending?cursor={cursor}")
        read += part["items"]
        if (cursor := part["next_cursor"]) is None:
            break
    total = sum(Money.parse(one["amount"]["amount"], "EUR").minor for one in read)
    assert {one["kind"] for one in read} == {"sale", "reserve"} and len(read) == len(
        {(o["kind"], o["sale"]) for o in read}
    ) > 100
    assert [one["until"] for one in read] == sorted(one["until"] for one in read)
    assert total == Money.parse(part["together"]["amount"], "EUR").minor
    assert total == sum(Money.parse(week["together"]["amount"], "EUR").minor for week in part["weeks"])
    balance = publisher.get("/balance")
    assert total == sum(Money.parse(balance[name]["amount"], "EUR").minor for name in ("pending", "reserve"))
    for cursor in ("x", "2026-01-01~sale_1", "~", "2026-01-01T00:00:00Z~"):
        assert publisher.request("GET", f"/balance/pending?cursor={cursor}").json["code"] == "bad_page"


def test_the_pages_show_the_same_and_how_long_money_takes(market: Market, clock: SetClock) -> None:
    short_window()
    deal = make_deal(market)
    run_due(clock.advance(days=22))
    clock.advance(days=23)
    deal.publisher.post("/leads", market.lead())
    visitor, operator = visitor_of(market, deal.publisher), visitor_of(market, deal.operator)
    page = words_of(visitor.open("/publisher/pending"))
    assert "education 1 22 22" in page and "2.80" in page and "14.00" in page
    assert "What becomes payable" in words_of(visitor.open("/publisher/balance"))
    forecast = words_of(operator.open("/operator/forecast"))
    assert "€11.20" in forecast and "14.00" in forecast and "2.80" in forecast
    assert "Nothing is held" in words_of(visitor_of(market, market.make_publisher()).open("/publisher/pending"))
    assert visitor.open("/publisher/pending?cursor=x").status_code == 400


@pytest.mark.parametrize(
    ("begins", "place"),
    [(date(2026, 11, 16), 0), (date(2026, 11, 23), 0), (date(2026, 11, 30), 1), (date(2027, 2, 15), 12)],
)
def test_the_chart_leaves_no_week_out_and_counts_what_is_overdue_in_the_first(begins: date, place: int) -> None:
    at: datetime = START + timedelta(days=1)  # a Monday
    week = PendingWeek(begins, 1, 0, Money(100, "EUR"), Money(20, "EUR"))
    later = PendingWeek(date(2030, 1, 7), 1, 0, Money(7, "EUR"), Money(0, "EUR"))
    unknown = PendingWeek(None, 1, 0, Money(9, "EUR"), Money(0, "EUR"))
    shown = weeks_from([week, later, unknown], at)
    assert len(shown) == 13 and shown[0][0] == date(2026, 11, 23)
    assert [minor for _, minor in shown] == [120 if number == place else 0 for number in range(13)]
