"""A buyer disputes once, in time, his own sale; an operator decides once; the money follows the decision and only it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from core.errors import Conflict
from core.ids import parse_id
from marketplace.jobs import run_due
from marketplace.leads.disputes import REASONS, Claim, open_dispute, resolve_dispute
from marketplace.leads.settlement import settle_batch
from tests.at_once import ask, at_once
from tests.conftest import START, SetClock
from tests.deals import RELEASE, RETURNED, SETTLED, SOLD, Deal
from tests.factories import Market


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason != "unreachable"])
def test_every_listed_reason_opens_a_dispute_that_all_concerned_see(deal: Deal, reason: str) -> None:
    opened = deal.dispute(reason)
    assert (opened["state"], opened["reason"]) == ("open", reason)
    for member in (deal.buyer, deal.publisher, deal.operator):
        assert [each["id"] for each in member.get("/disputes?state=open")["items"]] == [opened["id"]]
    assert deal.buyer.get(f"/sales/{deal.sale}")["state"] == "disputed"
    assert deal.money() == SOLD


def test_an_unknown_reason_is_refused_with_the_known_ones(deal: Deal) -> None:
    answer = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "too dear"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "reason")
    assert all(reason in answer.json["errors"][0]["message"] for reason in REASONS)


def test_a_dispute_is_in_time_until_the_window_closes_and_not_at_that_instant(deal: Deal, clock: SetClock) -> None:
    clock.instant = START + timedelta(days=10)
    late = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "bot"})
    assert (late.status_code, late.json["code"]) == (409, "window_closed")
    clock.advance(microseconds=-1)
    deal.dispute()


def test_a_sale_is_disputed_once_whatever_became_of_the_dispute(deal: Deal) -> None:
    opened = deal.dispute()
    for decision in ("reject", None):
        again = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "prank"})
        assert (again.status_code, again.json["code"]) == (409, "already_disputed")
        if decision:
            deal.operator.post(f"/disputes/{opened['id']}/resolve", {"decision": decision})


def test_somebody_elses_sale_cannot_be_found_to_dispute(deal: Deal, market: Market) -> None:
    stranger = market.make_buyer()
    assert stranger.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "bot"}).status_code == 404
    assert stranger.get("/disputes")["items"] == []


@pytest.mark.parametrize("who", ["publisher", "operator"])
def test_only_buyers_dispute(deal: Deal, who: str) -> None:
    answer = getattr(deal, who).request("POST", f"/sales/{deal.sale}/disputes", {"reason": "bot"})
    assert answer.status_code == 403


@pytest.mark.parametrize("who", ["publisher", "buyer"])
def test_only_operators_decide(deal: Deal, who: str) -> None:
    opened = deal.dispute()
    answer = getattr(deal, who).request("POST", f"/disputes/{opened['id']}/resolve", {"decision": "uphold"})
    assert answer.status_code == 403


def test_a_settled_sale_is_not_disputed_any_more(deal: Deal) -> None:
    assert run_due(RELEASE)["settlements"] == 1
    answer = deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "bot"})
    assert (answer.status_code, answer.json["code"]) == (409, "not_now")
    assert deal.money() == SETTLED


@pytest.mark.parametrize(
    ("decision", "state", "money"), [("uphold", "returned", RETURNED), ("reject", "delivered", SOLD)]
)
def test_the_same_decision_again_changes_nothing_and_another_one_is_a_conflict(
    deal: Deal, decision: str, state: str, money: tuple[str, ...]
) -> None:
    path = f"/disputes/{deal.dispute()['id']}/resolve"
    first = deal.operator.post(path, {"decision": decision, "note": "first"})
    again = deal.operator.post(path, {"decision": decision, "note": "again"})
    other = deal.operator.request("POST", path, {"decision": "reject" if decision == "uphold" else "uphold"})
    assert first == again
    assert (other.status_code, other.json["code"]) == (409, "not_now")
    assert deal.buyer.get(f"/sales/{deal.sale}")["state"] == state
    assert deal.money() == money


def test_an_unknown_decision_or_dispute_is_refused(deal: Deal) -> None:
    opened = deal.dispute()
    assert deal.operator.request("POST", f"/disputes/{opened['id']}/resolve", {"decision": "maybe"}).status_code == 422
    missing = opened["id"][:-1] + ("0" if opened["id"][-1] != "0" else "1")
    assert deal.operator.request("POST", f"/disputes/{missing}/resolve", {"decision": "uphold"}).status_code == 404


def test_a_rejected_dispute_that_was_decided_late_is_settled_when_nobody_may_appeal_any_more(
    deal: Deal, clock: SetClock
) -> None:
    opened = deal.dispute()
    clock.instant = RELEASE + timedelta(days=40)
    deal.operator.post(f"/disputes/{opened['id']}/resolve", {"decision": "reject"})
    assert run_due(clock.advance(days=5, microseconds=-1))["settlements"] == 0
    assert run_due(clock.advance(microseconds=1))["settlements"] == 1
    assert deal.buyer.get(f"/sales/{deal.sale}")["state"] == "settled"


def test_a_returned_sale_is_never_settled(deal: Deal) -> None:
    deal.operator.post(f"/disputes/{deal.dispute()['id']}/resolve", {"decision": "uphold"})
    assert run_due(RELEASE)["settlements"] == 0
    assert deal.money() == RETURNED


def test_16_disputes_at_once_are_one(deal: Deal) -> None:
    answers = at_once([lambda: deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "bot"})] * 16)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 15}


def test_of_contrary_decisions_at_once_one_holds_and_the_money_follows_it(deal: Deal) -> None:
    path = f"/disputes/{deal.dispute()['id']}/resolve"
    decisions = ["uphold", "reject"] * 8
    answers = at_once([lambda d=d: deal.operator.request("POST", path, {"decision": d}) for d in decisions])
    assert Counter(answer.status_code for answer in answers) == {200: 8, 409: 8}
    [held] = {decision for decision, answer in zip(decisions, answers, strict=True) if answer.status_code == 200}
    assert deal.money() == (RETURNED if held == "uphold" else SOLD)


def test_dispute_and_settlement_at_once_leave_one_winner_and_the_money_right(
    app: Flask, market: Market, database_url: str
) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("1000.00")
    market.make_order(buyer, "20.00")
    sales = [parse_id("sale", publisher.post("/leads", market.lead())["sales"][0]["id"]) for _ in range(24)]
    owner = parse_id("acc", buyer.id)

    def dispute(sale: Any) -> bool:
        with app.app_context():
            try:
                with transaction():
                    open_dispute(owner, sale, Claim("bot"), "test", START)
            except Conflict as lost:
                assert lost.code in ("not_now", "return_cap_reached")  # beyond the cap when settlement is slow
                return False
        return True

    def settle() -> int:
        with app.app_context(), transaction():
            return settle_batch(RELEASE)

    calls: list[Any] = [lambda sale=sale: dispute(sale) for sale in sales]
    for place in (12, 8, 4):
        calls.insert(place, settle)
    answers = at_once(calls, threads=8)
    disputed = sum(answer for answer in answers if isinstance(answer, bool))
    settled = sum(answer for answer in answers if not isinstance(answer, bool)) + settle()
    assert disputed + settled == 24
    assert dict(ask(database_url, "SELECT state, count(*) FROM marketplace.sales GROUP BY 1")) == {
        state: number for state, number in (("disputed", disputed), ("settled", settled)) if number
    }


def test_an_upheld_dispute_and_a_settlement_at_once_pay_either_way_once(
    app: Flask, market: Market, database_url: str
) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("1000.00")
    market.make_order(buyer, "20.00")
    disputes = []
    for _ in range(12):
        [sale] = publisher.post("/leads", market.lead())["sales"]
        disputes.append(parse_id("dsp", buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})["id"]))

    def decide(number: int) -> None:
        with app.app_context(), transaction():
            resolve_dispute(disputes[number], "uphold" if number % 2 else "reject", "", "test", RELEASE)

    def settle(at: datetime = RELEASE) -> None:
        with app.app_context(), transaction():
            settle_batch(at)

    at_once([*(lambda n=n: decide(n) for n in range(12)), settle, settle], threads=14)
    settle(RELEASE + timedelta(days=5))
    assert dict(ask(database_url, "SELECT state, count(*) FROM marketplace.sales GROUP BY 1")) == {
        "returned": 6,
        "settled": 6,
    }
    wallet = buyer.get("/wallet")
    assert (wallet["available"]["amount"], wallet["held"]["amount"]) == ("880.00", "0.00")
