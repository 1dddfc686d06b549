"""Rules of contact by country: the wall clock at the person decides, through changes of the clock too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from marketplace.catalog.contact_rules import (
    RULES_FILE,
    contact_rules,
    get_contact_rules,
    may_contact,
    read_contact_rules,
)
from marketplace.catalog.holidays import easter, holidays_in
from tests.factories import Market

TEXT = RULES_FILE.read_text(encoding="utf-8")
PARIS = ZoneInfo("Europe/Paris")
NIGHT = """
FR:
  zones: [Europe/Paris]
  regulators: []
  do_not_call: []
  holidays: []
  holidays_confirmed: true
  call: &any {needs: none, hours: {sun: ["02:30-03:30"], mon: ["10:00-12:00"]}, rests_on_holidays: true,
    lifts_hours: false, attempts: null, source: "a test", confirmed: true}
  sms: *any
  email: *any
"""


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def said(country: str, when: datetime, consent: str = "opt_in", channel: str = "call", **more: str) -> tuple[bool, str]:
    return may_contact(country, channel, when, consent, **more)[:2]


def test_the_countries_of_the_market_are_there_and_every_rule_names_its_source() -> None:
    assert {"FR", "ES", "NL", "BE", "DE", "US", "GB", "BA", "VN"} <= set(contact_rules())
    for rules in contact_rules().values():
        for rule in (rules.call, rules.sms, rules.email):
            assert rule.source and (rule.confirmed or "operator to confirm" in rule.source)


def test_france_calls_on_weekdays_in_two_spans_and_rests_on_holidays() -> None:
    assert said("FR", at("2026-11-24 12:59")) == (True, "within_hours")
    assert said("FR", at("2026-11-24 13:00")) == (False, "outside_hours")
    assert said("FR", at("2026-11-24 20:00")) == (False, "outside_hours")
    assert said("FR", at("2026-11-28 11:00")) == (False, "day_of_rest")
    assert said("FR", at("2026-05-14 11:00")) == (False, "public_holiday")  # Ascension
    assert said("FR", at("2026-11-24 11:00"), "none") == (False, "opt_in_needed")
    assert said("FR", at("2026-11-24 22:00"), "asked") == (True, "asked_for_it")
    assert said("ES", at("2026-11-24 22:00"), "asked") == (False, "outside_hours")  # no request lifts the hours there


def test_the_next_good_time_is_told() -> None:
    christmas = may_contact("FR", "call", at("2026-12-24 19:59:59") + timedelta(seconds=1), "opt_in")
    assert christmas.next_at == at("2026-12-28 10:00")
    assert may_contact("FR", "call", at("2026-11-24 13:30"), "opt_in").next_at == at("2026-11-24 14:00")
    assert may_contact("FR", "call", at("2026-11-24 13:30"), "none").next_at is None


def test_e_mail_has_no_hours_and_an_unknown_country_is_no_permission() -> None:
    assert said("FR", at("2026-12-25 03:00"), channel="email") == (True, "any_time")
    assert said("US", at("2026-12-25 03:00"), "none", channel="email") == (True, "any_time")
    assert said("AQ", at("2026-11-24 11:00")) == (False, "country_unknown")


def test_a_large_country_is_good_only_where_all_of_it_is_unless_the_persons_zone_is_known() -> None:
    nine_in_new_york = at("2026-11-24 09:00", ZoneInfo("America/New_York"))
    verdict = may_contact("US", "call", nine_in_new_york, "none")
    assert (verdict.allowed, verdict.next_at) == (False, at("2026-11-24 08:00", ZoneInfo("Pacific/Honolulu")))
    assert said("US", nine_in_new_york, "none", zone="America/New_York") == (True, "within_hours")


@pytest.mark.parametrize("day", ["2026-03-27", "2026-03-30", "2026-10-23", "2026-10-26"])
def test_hours_are_local_on_both_sides_of_a_change_of_the_clock(day: str) -> None:
    opens = at(f"{day} 10:00")
    assert said("FR", opens) == (True, "within_hours")
    assert said("FR", opens - timedelta(microseconds=1)) == (False, "outside_hours")
    assert may_contact("FR", "call", opens.astimezone(UTC) - timedelta(hours=1), "opt_in").next_at == opens


def test_an_opening_that_the_clock_skips_is_the_change_itself_and_a_repeated_hour_counts_once() -> None:
    rules = read_contact_rules(NIGHT)
    spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
    verdict = may_contact("FR", "call", spring, "none", rules=rules)
    assert verdict.next_at == spring + timedelta(hours=1)  # 02:30 does not exist; 03:00 follows 02:00
    assert may_contact("FR", "call", spring + timedelta(minutes=89), "none", rules=rules).allowed
    assert not may_contact("FR", "call", spring + timedelta(minutes=90), "none", rules=rules).allowed
    assert may_contact("FR", "call", autumn, "none", rules=rules).next_at == autumn + timedelta(minutes=30)
    assert may_contact("FR", "call", autumn + timedelta(minutes=149), "none", rules=rules).allowed
    assert not may_contact("FR", "call", autumn + timedelta(minutes=150), "none", rules=rules).allowed


@given(
    st.sampled_from(sorted(contact_rules())),
    st.sampled_from(["call", "sms", "email"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),
)
def test_the_next_time_is_good_and_nothing_between_is(country: str, channel: str, when: datetime) -> None:
    verdict = may_contact(country, channel, when, "opt_in")
    assert verdict.next_at is not None and verdict.next_at >= when
    assert verdict.allowed == (verdict.next_at == when)
    assert may_contact(country, channel, verdict.next_at, "opt_in").allowed
    middle = when + (verdict.next_at - when) / 2
    assert verdict.allowed or not may_contact(country, channel, middle, "opt_in").allowed


def test_easter_and_the_days_that_follow_it() -> None:
    assert [easter(year).isoformat() for year in (2024, 2025, 2026, 2027, 2038)] == [
        "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25",
    ]  # fmt: skip
    days = sorted(holidays_in(2026, ("easter+1", "4 thu 11", "last mon 05", "12-25", "1 mon 09")))
    assert [day.isoformat() for day in days] == ["2026-04-06", "2026-05-25", "2026-09-07", "2026-11-26", "2026-12-25"]


def test_all_faults_of_the_rules_are_named_at_once() -> None:
    bad = NIGHT.replace("Europe/Paris", "Europe/Nowhere").replace("holidays: []", "holidays: [13-01, whenever]")
    with pytest.raises(Invalid) as refusal:
        read_contact_rules(bad.replace("10:00-12:00", "12:00-10:00").replace("FR:", "XX:"))
    assert {fault.code for fault in refusal.value.faults} == {
        "unknown_region", "unknown_timezone", "bad_format", "bounds_reversed",
    }  # fmt: skip
    with pytest.raises(Invalid):
        read_contact_rules("FR: {}")


def test_the_rules_are_shown_over_http_with_their_sources(market: Market) -> None:
    publisher = market.make_publisher()
    shown = publisher.get("/contact-rules/FR")
    assert (shown["country"], shown["do_not_call"], shown["call"]["attempts"]) == (
        "FR", ["Bloctel"], {"count": 4, "days": 30},
    )  # fmt: skip
    assert "D223-9" in shown["call"]["source"] and shown["sms"]["confirmed"] is False
    assert publisher.request("GET", "/contact-rules/AQ").status_code == 404
    assert get_contact_rules("FR").regulators == ("DGCCRF", "CNIL")
