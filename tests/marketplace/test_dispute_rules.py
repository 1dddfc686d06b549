"""Each reason has its own window; windows nest whatever a vertical says, and what would break that is refused."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import as_rfc3339
from core.db import transaction
from core.errors import Invalid
from marketplace.catalog.dispute_rules import closes_at, dispute_rules
from marketplace.catalog.shelf import apply_vertical
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.jobs import run_due
from marketplace.leads.disputes.cap import is_above
from marketplace.leads.disputes.deadlines import after_business_days
from marketplace.leads.disputes.reasons import REASONS
from tests.conftest import START, SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.house.tree import ROOT

EDUCATION = read_shipped("education").as_mapping()
VERSIONS = itertools.count(2)  # a change of a vertical needs a higher one
# Education's own window is ten days; the smaller of the two counts, except for missing consent.
HOURS = {"mistyped": 72, "out_of_criteria": 72, "duplicate": 168, "prank": 168, "competitor": 168, "bot": 240,
         "hired": 240, "no_consent": 720}  # fmt: skip


@pytest.mark.parametrize("reason", HOURS)
def test_a_reason_has_its_own_window_and_says_when_it_closed(deal: Deal, clock: SetClock, reason: str) -> None:
    closes = clock.advance(hours=HOURS[reason])
    late = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": reason})
    assert (late.status_code, late.json["code"]) == (409, "window_closed")
    assert closes.isoformat() in late.json["detail"]
    clock.instant = closes - timedelta(microseconds=1)
    assert deal.dispute(reason)["state"] == "open"


def test_a_missing_consent_is_claimed_also_after_the_settlement(market: Market, clock: SetClock) -> None:
    apply(vertical({"window_hours": 48}))
    deal = make_deal(market)
    clock.advance(days=2 + 5 + 15)
    run_due(clock.instant)
    opened = deal.dispute("no_consent")
    assert opened["after_settlement"] and deal.state() == "settled"


def test_an_unknown_sub_reason_is_refused_with_the_known_ones(deal: Deal) -> None:
    body = {"reason": "mistyped", "sub_reason": "boring"}
    refused = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", body).json
    assert [(fault["field"], fault["code"]) for fault in refused["errors"]] == [("sub_reason", "not_allowed_value")]
    assert "dead_number" in refused["errors"][0]["message"]


def test_unreachable_counts_only_where_the_vertical_says_so(deal: Deal) -> None:
    refused = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "unreachable"})
    assert (refused.status_code, refused.json["code"]) == (409, "reason_off")


def test_unreachable_needs_days_and_calls_and_returns_half(market: Market, clock: SetClock) -> None:
    apply(vertical({"disputes": {"unreachable": {"enabled": True}}}))
    deal = make_deal(market)
    calls = [{"attempted_at": as_rfc3339(START + timedelta(hours=20 * n))} for n in range(5)]
    path = f"/sales/{deal.sale}/disputes"
    clock.advance(hours=95)
    assert (
        deal.buyer.request("POST", path, {"reason": "unreachable", "evidence": calls}).json["code"] == "window_not_open"
    )
    clock.advance(hours=1)
    for few in (calls[:4], calls[:1] * 5, [*calls[:4], {"attempted_at": "soon"}]):
        refused = deal.buyer.request("POST", path, {"reason": "unreachable", "evidence": few})
        assert [fault["code"] for fault in refused.json["errors"]] == ["attempts_missing"]
    opened = deal.dispute("unreachable", evidence=calls)
    accepted = deal.publisher.post(f"/disputes/{opened['id']}/answer", {"accept": True})
    assert (accepted["state"], accepted["credited"]["amount"]) == ("partial", "10.00")


@pytest.mark.parametrize(
    ("changes", "field", "code", "numbers"),
    [
        ({"decision_days": 4}, "decision_days", "windows_not_nested", ("48 h", "72 h", "120 h", "96 h")),
        ({"disputes": {"mistyped": {"window_hours": 73}}}, "disputes.mistyped.window_hours", "window_loosened", ("72", "73")),
        ({"disputes": {"bot": {"window_hours": 241}}}, "disputes.bot.window_hours", "window_loosened", ("240", "241")),
        ({"window_hours": 96, "disputes": {"unreachable": {"enabled": True}}}, "disputes.unreachable.window_hours",
         "windows_not_nested", ("96",)),
        ({"disputes": {"dear": {}}}, "disputes.dear", "not_allowed_value", REASONS),
    ],
)  # fmt: skip
def test_a_vertical_that_loosens_the_rules_is_refused_with_the_numbers(
    changes: dict[str, Any], field: str, code: str, numbers: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid) as refused:
        vertical(changes)
    [fault] = refused.value.faults
    assert (fault.field, fault.code) == (field, code)
    assert all(number in fault.message for number in numbers)


@given(
    window_hours=st.integers(48, 720),
    decision_days=st.integers(1, 30),
    narrowed=st.dictionaries(
        st.sampled_from(REASONS),
        st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "window_hours": st.integers(1, 800)}),
    ),
    extra_days=st.integers(0, 30),
)
def test_in_every_vertical_that_is_accepted_the_windows_nest(
    window_hours: int, decision_days: int, narrowed: dict[str, Any], extra_days: int
) -> None:
    try:
        made = vertical({"window_hours": window_hours, "decision_days": decision_days, "disputes": narrowed})
    except Invalid as refused:
        assert {fault.code for fault in refused.faults} <= {"windows_not_nested", "window_loosened"}
        return
    window, rules = timedelta(hours=made.window_hours), dispute_rules()
    decision = timedelta(hours=rules.hearing_hours, days=rules.decision_business_days)
    base_hold = timedelta(days=made.hold_days)
    assert window + decision <= base_hold <= base_hold + timedelta(days=extra_days)
    for name, default in rules.reasons.items():
        reason = made.dispute_reason(name)
        assert reason is not None
        longest = closes_at(reason, START, START + window)
        assert longest <= closes_at(default, START, START + window)
        assert reason.beyond_vertical or longest - START <= window
        assert not (reason.enabled and default.enabled is False) or longest > START + timedelta(hours=reason.from_hours)


def test_business_days_skip_the_weekend() -> None:
    friday = datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert [after_business_days(friday, days).day for days in (0, 1, 3, 5, 6)] == [20, 23, 25, 27, 30]
    assert after_business_days(datetime(2026, 11, 21, 9, tzinfo=UTC), 1) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_who_sends_back_too_much_is_heard_only_where_a_machine_can_prove_it(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("1000.00")
    market.make_order(buyer)
    sales = [publisher.post("/leads", market.lead())["sales"][0]["id"] for _ in range(20)]
    for sale in sales[:4]:
        opened = buyer.post(f"/sales/{sale}/disputes", {"reason": "bot"})
        publisher.post(f"/disputes/{opened['id']}/answer", {"accept": True})
    refused = buyer.request("POST", f"/sales/{sales[4]}/disputes", {"reason": "bot"})
    assert (refused.status_code, refused.json["code"]) == (409, "return_cap_reached")
    assert buyer.post(f"/sales/{sales[4]}/disputes", {"reason": "duplicate"})["state"] == "open"
    cap = dispute_rules().return_cap
    assert [is_above(cap, *counts) for counts in ((19, 19), (20, 3), (20, 4), (0, 0))] == [False, False, True, False]


def test_the_documentation_shows_the_rules_as_they_are() -> None:
    page = (ROOT / "docs/disputes.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    rules = dispute_rules()
    assert rows == [
        (
            name,
            f"{reason.window_hours} h" if reason.window_hours else "the vertical's",
            "machine, person" if reason.machine else "person",
            reason.evidence,
        )
        for name, reason in rules.reasons.items()
    ]
    assert (rules.hearing_hours, rules.silence_business_days, rules.appeal_days) == (48, 5, 5)


def vertical(changes: dict[str, Any]) -> Vertical:
    return Vertical.load(EDUCATION | {"version": next(VERSIONS)} | changes)


def apply(changed: Vertical) -> None:
    with transaction():
        apply_vertical(changed, START)
