"""A buyer reports what became of a sale; reports are only added to, and their sum is what they say."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import as_rfc3339
from core.db import transaction
from core.errors import Conflict
from core.ids import parse_id
from marketplace.leads.dispositions import (
    LOST_REASONS,
    OUTCOMES,
    REACHED,
    STATUSES,
    TRIES,
    Report,
    report_disposition,
)
from tests.at_once import ask, at_once
from tests.conftest import START, SetClock
from tests.factories import Market, Member


@dataclass
class Bought:
    """A sale of 20.00 and who bought it."""

    publisher: Member
    buyer: Member
    id: str

    def say(self, status: str, at: datetime | None = None, **more: Any) -> Any:
        """Report; it must be accepted."""
        return self.buyer.post(f"/sales/{self.id}/disposition", body_of(status, at, more))

    def try_to_say(self, status: str, at: datetime | None = None, **more: Any) -> tuple[int, Any]:
        """Report and return the status and the answer."""
        response = self.buyer.request("POST", f"/sales/{self.id}/disposition", body_of(status, at, more))
        return response.status_code, response.json

    def shown(self) -> Any:
        """Return the sale as its buyer sees it."""
        return self.buyer.get(f"/sales/{self.id}")

    def history(self) -> Any:
        """Return the reports, the latest first."""
        return self.buyer.get(f"/sales/{self.id}/dispositions")["items"]


def body_of(status: str, at: datetime | None, more: dict[str, Any]) -> dict[str, Any]:
    return {"status": status, "at": as_rfc3339(at) if at else None} | more


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def bought(market: Market, clock: SetClock) -> Bought:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer, "20.00")
    [sale] = publisher.post("/leads", market.lead())["sales"]
    clock.advance(days=2)
    return Bought(publisher, buyer, sale["id"])


def test_a_sale_says_until_when_its_person_should_be_reached(bought: Bought, clock: SetClock) -> None:
    clock.instant = minutes(5)
    shown = bought.shown()
    assert (shown["contact_due_at"], shown["contact_state"]) == ("2026-11-22T10:05:00Z", "waiting")
    assert (shown["handling"]["status"], shown["handling"]["attempts"]) == (None, 0)
    clock.advance(seconds=1)
    assert bought.buyer.get("/sales")["items"][0]["contact_state"] == "late"


@pytest.mark.parametrize(("minute", "state"), [(5, "in_time"), (5.1, "too_late")])
def test_the_first_attempt_decides_whether_it_was_in_time(bought: Bought, minute: float, state: str) -> None:
    reported = bought.say("attempted", minutes(minute), note="no answer")
    assert (reported["status"], reported["note"]) == ("attempted", "no answer")
    bought.say("contacted", minutes(60))
    shown = bought.shown()
    assert shown["contact_state"] == state
    assert shown["handling"]["first_attempt_at"] == as_rfc3339(minutes(minute))
    assert (shown["handling"]["status"], shown["handling"]["attempts"]) == ("contacted", 2)


def test_reports_are_added_and_the_history_keeps_each(bought: Bought) -> None:
    bought.say("attempted", minutes(4))
    bought.say("unreachable", minutes(60 * 20))
    bought.say("contacted", minutes(60 * 24))
    bought.say("won", minutes(60 * 25))
    assert [each["status"] for each in bought.history()] == ["won", "contacted", "unreachable", "attempted"]
    handling = bought.shown()["handling"]
    assert (handling["attempts"], handling["attempt_days"], handling["status"]) == (3, 2, "won")
    assert handling["first_contact_at"] == as_rfc3339(minutes(60 * 24))


def test_a_report_that_comes_late_is_put_in_its_place(bought: Bought) -> None:
    bought.say("contacted", minutes(60))
    bought.say("attempted", minutes(3))
    handling = bought.shown()["handling"]
    assert (handling["status"], handling["first_attempt_at"]) == ("contacted", as_rfc3339(minutes(3)))


def test_days_of_attempts_are_those_of_the_orders_zone(market: Market, clock: SetClock) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer, schedule={"timezone": "Europe/Paris"})
    bought = Bought(publisher, buyer, publisher.post("/leads", market.lead())["sales"][0]["id"])
    clock.advance(days=3)
    bought.say("attempted", datetime(2026, 11, 22, 22, 59, tzinfo=UTC))  # 23:59 in Paris
    bought.say("attempted", datetime(2026, 11, 22, 23, 1, tzinfo=UTC))
    bought.say("attempted", datetime(2026, 11, 23, 22, 1, tzinfo=UTC))
    assert bought.shown()["handling"]["attempt_days"] == 2


def test_the_same_report_again_adds_nothing_and_other_words_are_refused(bought: Bought) -> None:
    first = bought.say("attempted", minutes(4), note="rang twice")
    status, again = bought.try_to_say("attempted", minutes(4), note="rang twice")
    assert (status, again) == (200, first)
    status, other = bought.try_to_say("attempted", minutes(4), note="rang once")
    assert (status, other["code"]) == (409, "already_reported")
    assert len(bought.history()) == 1


@pytest.mark.parametrize(
    ("status", "at", "more", "faults"),
    [
        ("asleep", minutes(4), {}, [("status", "not_allowed_value")]),
        ("attempted", START + timedelta(days=2, seconds=61), {}, [("at", "in_future")]),
        ("attempted", START - timedelta(seconds=1), {}, [("at", "before_sale")]),
        ("lost", minutes(4), {}, [("lost_reason", "not_allowed_value")]),
        ("lost", minutes(4), {"lost_reason": "bad luck"}, [("lost_reason", "not_allowed_value")]),
        ("won", minutes(4), {"lost_reason": "other"}, [("lost_reason", "not_for_status")]),
        ("won", minutes(4), {"follow_up_at": as_rfc3339(minutes(9))}, [("follow_up_at", "not_for_status")]),
        ("attempted", minutes(4), {"follow_up_at": as_rfc3339(minutes(4))}, [("follow_up_at", "before_report")]),
        ("attempted", minutes(4), {"follow_up_at": "9999-12-31T23:59:59-23:00"}, [("follow_up_at", "too_far")]),
        ("attempted", datetime(1, 1, 1, tzinfo=UTC), {"lost_reason": "x", "follow_up_at": "9999-12-31T23:59:59-23:00"},
         [("at", "before_sale"), ("lost_reason", "not_for_status"), ("follow_up_at", "too_far")]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_every_fault(
    bought: Bought, status: str, at: datetime, more: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    code, answer = bought.try_to_say(status, at, **more)
    assert (code, answer["code"]) == (422, "invalid_disposition")
    assert [(each["field"], each["code"]) for each in answer["errors"]] == faults
    assert bought.history() == []


def test_a_clock_that_runs_a_little_ahead_is_forgiven(bought: Bought, clock: SetClock) -> None:
    bought.say("attempted", clock.now() + timedelta(seconds=60))


@pytest.mark.parametrize("reason", LOST_REASONS)
def test_a_lost_sale_says_why(bought: Bought, reason: str) -> None:
    assert bought.say("lost", minutes(4), lost_reason=reason)["lost_reason"] == reason


def test_after_an_outcome_only_a_later_outcome_counts(bought: Bought) -> None:
    bought.say("won", minutes(60))
    for status, at, more in [("attempted", 60, {}), ("qualified", 61, {}), ("lost", 59, {"lost_reason": "other"}),
                             ("lost", 60, {"lost_reason": "other"})]:  # fmt: skip
        code, answer = bought.try_to_say(status, minutes(at), **more)
        assert (code, answer["code"]) == (409, "outcome_final")
    bought.say("contacted", minutes(30))
    assert bought.shown()["handling"]["status"] == "won"
    bought.say("lost", minutes(61), lost_reason="no_budget")
    assert bought.shown()["handling"]["status"] == "lost"


def test_a_returned_sale_takes_no_reports_and_has_no_clock(bought: Bought, market: Market) -> None:
    dispute = bought.buyer.post(f"/sales/{bought.id}/disputes", {"reason": "bot"})
    bought.say("unreachable", minutes(4))
    market.make_operator().post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    code, answer = bought.try_to_say("attempted", minutes(5))
    assert (code, answer["code"]) == (409, "not_now")
    assert bought.shown()["contact_state"] == "in_time"


def test_a_sale_that_went_back_untouched_waits_for_nobody(bought: Bought, market: Market) -> None:
    dispute = bought.buyer.post(f"/sales/{bought.id}/disputes", {"reason": "bot"})
    market.make_operator().post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    assert bought.shown()["contact_state"] is None


def test_somebody_elses_sale_cannot_be_found(bought: Bought, market: Market) -> None:
    stranger = market.make_buyer("0")
    assert stranger.request("POST", f"/sales/{bought.id}/disposition", {"status": "won"}).status_code == 404
    assert stranger.request("GET", f"/sales/{bought.id}/dispositions").status_code == 404
    assert bought.publisher.request("POST", f"/sales/{bought.id}/disposition", {"status": "won"}).status_code == 403


def test_the_history_comes_in_pages(bought: Bought) -> None:
    for minute in range(5):
        bought.say("attempted", minutes(minute))
    first = bought.buyer.get(f"/sales/{bought.id}/dispositions?limit=3")
    rest = bought.buyer.get(f"/sales/{bought.id}/dispositions?limit=3&cursor={first['next_cursor']}")
    assert [each["at"] for each in first["items"] + rest["items"]] == [as_rfc3339(minutes(m)) for m in (4, 3, 2, 1, 0)]
    assert rest["next_cursor"] is None


def test_an_agreed_follow_up_is_listed_until_a_later_report(bought: Bought, clock: SetClock) -> None:
    agreed = clock.now() + timedelta(days=1)
    bought.say("contacted", minutes(4), follow_up_at=as_rfc3339(agreed), note="wants the brochure first")
    listed = bought.buyer.get("/follow-ups")["items"]
    assert [(one["id"], one["handling"]["follow_up_at"]) for one in listed] == [(bought.id, as_rfc3339(agreed))]
    assert bought.buyer.get(f"/follow-ups?due={as_rfc3339(clock.now())}")["items"] == []
    assert len(bought.buyer.get(f"/follow-ups?due={as_rfc3339(agreed)}")["items"]) == 1
    bought.say("contacted", minutes(10))
    assert bought.buyer.get("/follow-ups")["items"] == []
    assert bought.buyer.request("GET", "/follow-ups?due=tomorrow").json["errors"][0]["code"] == "not_an_instant"


def test_reports_are_never_rewritten_but_a_note_may_be_taken_out(bought: Bought, database_url: str) -> None:
    bought.say("attempted", minutes(4), note="Ada's mother answered")
    table = "marketplace.dispositions"
    for statement in (f"UPDATE {table} SET status = 'won'", f"DELETE FROM {table}", f"UPDATE {table} SET note = 'x'",
                      f"UPDATE {table} SET note = NULL, at = now()"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(database_url, statement + " RETURNING 1")
    assert ask(database_url, f"UPDATE {table} SET note = NULL RETURNING status, note") == [("attempted", None)]


def test_first_attempts_at_once_are_all_counted_and_equal_ones_once(app: Flask, bought: Bought) -> None:
    def say(minute: int) -> int:
        return bought.try_to_say("attempted", minutes(minute), note=f"{minute}")[0]

    answers = at_once([lambda minute=n % 8 + 1: say(minute) for n in range(16)])
    assert sorted(answers) == [200] * 8 + [201] * 8
    handling = bought.shown()["handling"]
    assert (handling["attempts"], handling["first_attempt_at"]) == (8, as_rfc3339(minutes(1)))


def test_outcomes_at_once_leave_one(app: Flask, bought: Bought) -> None:
    def say(status: str) -> int:
        reason = "other" if status == "lost" else None
        return bought.try_to_say(status, minutes(9), lost_reason=reason)[0]

    answers = at_once([lambda status=status: say(status) for status in OUTCOMES * 8])
    assert answers.count(201) == 1
    assert len(bought.history()) == 1


reports = st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 4000)), min_size=1, max_size=12)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(reports)
def test_the_sum_says_what_the_accepted_reports_say(
    bought: Bought, market: Market, clock: SetClock, said: list[tuple[str, int]]
) -> None:
    now, clock.instant = clock.instant, START
    bought.id = bought.publisher.post("/leads", market.lead())["sales"][0]["id"] if bought.history() else bought.id
    clock.instant = now + timedelta(days=2)
    kept: list[tuple[int, int, str]] = []
    for status, minute in said:
        report = Report(status, minutes(minute), "other" if status == "lost" else None)
        try:
            with transaction():
                new = report_disposition(
                    parse_id("acc", bought.buyer.id), parse_id("sale", bought.id), report, "test", clock.now()
                )[1]
        except Conflict:
            assert any(each in OUTCOMES for *_, each in kept) or status in OUTCOMES
            continue
        if new:
            kept.append((minute, len(kept), status))
    tries = [minute for minute, _, status in kept if status in TRIES]
    reached = [minute for minute, _, status in kept if status in REACHED]
    handling = bought.shown()["handling"]
    assert handling["status"] == max(kept)[2]
    assert handling["first_attempt_at"] == as_rfc3339(minutes(min(kept)[0]))
    assert handling["attempts"] == len(tries)
    assert handling["attempt_days"] == len({minutes(minute).date() for minute in tries})
    assert handling["first_contact_at"] == (as_rfc3339(minutes(min(reached))) if reached else None)
    clock.instant = now
