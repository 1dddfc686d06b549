"""What is counted once in a few minutes: the days that are over, and never today or yesterday."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from billing import reserves_of
from core.db import db, transaction
from core.ids import parse_id
from marketplace.leads.queries import pending_of
from marketplace.reports.buyer_wallet import spending_of
from marketplace.reports.kept import LASTS, MANY, MOST, find_kept, keep, kept, kept_of_many
from marketplace.reports.pending import pending_weeks
from marketplace.reports.publisher_balance import pending_here, weeks_here
from marketplace.reports.publisher_today import next_release_of, today_of
from tests.conftest import SetClock
from tests.deals import make_deal
from tests.factories import Market


def age(sale_id: str, days: int) -> None:
    with transaction():
        change = "UPDATE marketplace.sales SET sold_at = sold_at - make_interval(days => :days) WHERE id = :id"
        db.session.execute(db.text(change), {"id": parse_id("sale", sale_id), "days": days})


def test_a_count_stands_for_a_while_and_not_before_it_was_made(market: Market, clock: SetClock) -> None:
    at, counted = clock.now(), iter(range(9))
    assert kept(("test",), at, lambda: next(counted)).value == 0
    later = kept(("test",), at + LASTS - timedelta(seconds=1), lambda: next(counted))
    assert (later.value, later.counted_at) == (0, at)
    assert kept(("test",), at + LASTS, lambda: next(counted)).value == 1
    assert kept(("test",), at, lambda: next(counted)).value == 2, "a clock that was set back counts anew"
    assert kept(("other",), at, lambda: next(counted)).value == 3


def test_only_so_many_counts_are_kept(market: Market, clock: SetClock) -> None:
    for number in range(MOST + 1):
        keep((number,), number, clock.now())
    assert find_kept((0,), clock.now()) is None and find_kept((MOST,), clock.now()) is not None


def test_sales_of_today_and_yesterday_count_at_once_and_older_ones_after_a_while(
    market: Market, clock: SetClock
) -> None:
    deal = make_deal(market)
    buyer, publisher = parse_id("acc", deal.buyer.id), parse_id("acc", deal.publisher.id)

    def figures() -> tuple[int, int]:
        at = clock.now()
        spent = sum(one.minor for one in spending_of(buyer, "EUR", at).spent)
        return spent, sum(today_of(publisher, "EUR", at).paid.days)

    first = figures()
    assert first[0] > 0 and first[1] > 0
    age(deal.sale, 1)
    assert figures() == first, "yesterday is counted at every look"
    age(deal.sale, 4)
    assert figures() == (0, 0), "days that are over stand as they were counted"
    clock.instant += LASTS
    assert figures() == first


def test_the_next_release_is_that_of_the_first_open_sale(market: Market, clock: SetClock) -> None:
    deal = make_deal(market)
    publisher = parse_id("acc", deal.publisher.id)
    found = db.session.execute(db.text("SELECT min(release_at) FROM marketplace.sales")).scalar_one()
    assert next_release_of(publisher, "EUR") == found
    assert next_release_of(publisher, "USD") is None and next_release_of(UUID(int=1), "EUR") is None


def test_a_count_of_few_rows_is_exact_and_one_of_many_is_kept(market: Market, clock: SetClock) -> None:
    at, counted = clock.now(), iter(range(9))

    def count(rows: int) -> tuple[int, datetime]:
        found = kept_of_many(("many", rows), at + timedelta(seconds=rows % 2), lambda: (next(counted), rows), rows_of)
        return found.value[0], found.counted_at

    def rows_of(value: tuple[int, int]) -> int:
        return value[1]

    assert [count(MANY)[0] for _ in range(2)] == [0, 1], "few: every look counts"
    assert [count(MANY + 1) for _ in range(2)] == [(2, at + timedelta(seconds=1))] * 2, "many: the first look counts"


def test_a_balance_of_very_many_sales_says_when_it_was_counted(
    market: Market, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = make_deal(market)
    publisher, first_at = parse_id("acc", deal.publisher.id), clock.now()
    few = pending_here(publisher, "EUR", first_at)
    assert few.value == pending_of(publisher, "EUR") and few.counted_at == first_at and few.value.sales == 1
    monkeypatch.setattr("marketplace.reports.kept.MANY", 0)
    many = pending_here(publisher, "EUR", first_at)
    again = pending_here(publisher, "EUR", first_at + LASTS / 2)
    assert many == again and again.counted_at == first_at
    reserve = reserves_of(publisher, "EUR")
    weeks = weeks_here(publisher, "EUR", reserve, first_at).value
    assert weeks == pending_weeks("EUR", publisher), "the weeks put together are those of one question"
