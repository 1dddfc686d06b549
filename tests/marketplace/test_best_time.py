"""The clock of a sale starts when the person wants to be called, as far as that was said in a way that is understood."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import as_rfc3339
from marketplace.catalog.zones import zone_of
from marketplace.jobs import run_due
from marketplace.leads.best_time import LATEST, wanted_at
from tests.conftest import START, SetClock
from tests.factories import Market

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # a Monday, 12:00 in Paris


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("evening", paris(23, 18)), ("Evenings", paris(23, 18)), ("le soir", paris(23, 18)), ("'s avonds", paris(23, 18)),
        ("in the evening.", paris(23, 18)), ("Abend", paris(23, 18)), ("por la tarde", NOON), ("Après-midi", NOON),
        ("morning", paris(24, 8)), ("Mañana", paris(24, 8)), ("09:00-11:30", paris(24, 9)), ("9h - 12h", paris(24, 9)),
        ("14h30–16h", paris(23, 14, 30)), ("11:00-13:00", NOON), ("9-12", paris(24, 9)), ("18:00", paris(23, 18)),
        ("after 17h", paris(23, 17)), ("anytime", NOON), ("ASAP", NOON), ("", NOON), (None, NOON), ("  ", NOON),
        ("2026-11-25T08:30:00+01:00", datetime(2026, 11, 25, 7, 30, tzinfo=UTC)), ("2026-11-01T08:30:00Z", NOON),
        ("2027-11-25T08:30:00Z", None), ("call my wife", None), ("25:00-26:00", None), ("18:00-09:00", None),
        ("9", None), ("Monday", None), ("\ud800", None),
    ],
)  # fmt: skip
def test_what_is_understood_moves_the_clock_and_nothing_else_does(said: str | None, wanted: datetime | None) -> None:
    assert wanted_at(said, "Europe/Paris", NOON) == wanted


@given(st.text(max_size=40), st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_no_text_moves_a_clock_back_or_by_more_than_a_month(said: str, at: datetime) -> None:
    wanted = wanted_at(said, "America/New_York", at)
    assert wanted is None or at <= wanted <= at + LATEST


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)])
def test_a_night_in_which_the_clocks_change_still_has_a_morning(day: datetime) -> None:
    wanted = wanted_at("02:30-09:00", "Europe/Paris", day)
    assert wanted is not None and timedelta(0) <= wanted - day <= timedelta(hours=2)


def test_regions_are_read_by_their_own_clock() -> None:
    regions = ("FR-IDF", "FR", "ES-CN", "ES-MD", "US-CA", "US", "US-TN", "BR")
    zones = [
        "Europe/Paris",
        "Europe/Paris",
        "Atlantic/Canary",
        "Europe/Madrid",
        "America/Los_Angeles",
        None,
        None,
        None,
    ]
    assert [zone_of(region) for region in regions] == zones


def sold(market: Market, best_time: str | None) -> dict[str, object]:
    buyer = market.make_buyer()
    market.make_order(buyer)
    lead = market.lead()
    lead["contact"]["best_time"] = best_time
    market.make_publisher().post("/leads", lead)
    before = buyer.get("/sales")
    assert run_due(START)["contact_clocks"] == 1
    assert buyer.get("/sales") == before
    sale: dict[str, object] = before["items"][0]
    return sale


def test_a_sale_is_late_only_after_the_time_that_the_person_named(market: Market, clock: SetClock) -> None:
    sale = sold(market, "18:00-20:00")  # START is 11:00 in Paris
    assert (sale["contact_wanted_at"], sale["best_time_understood"]) == ("2026-11-22T17:00:00Z", True)
    assert sale["contact_due_at"] == "2026-11-22T17:05:00Z"
    assert run_due(clock.advance(hours=7, minutes=5))["contacts_late"] == 0
    assert run_due(clock.advance(microseconds=1))["contacts_late"] == 1


@pytest.mark.parametrize(("said", "understood"), [(None, None), ("when the dog is out", False), ("asap", True)])
def test_otherwise_the_clock_starts_at_delivery_and_says_whether_it_understood(
    market: Market, said, understood
) -> None:
    sale = sold(market, said)
    assert (sale["contact_wanted_at"], sale["best_time_understood"]) == (None, understood)
    assert sale["contact_due_at"] == as_rfc3339(START + timedelta(minutes=5))
