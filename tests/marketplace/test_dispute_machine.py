"""A machine decides what stored facts prove, in words that name them, and leaves the rest to people."""

from datetime import UTC, datetime, timedelta

from marketplace.jobs import run_due
from marketplace.leads.disputes.verdicts import Earlier, Facts, verdict_of
from tests.at_once import ask
from tests.conftest import START, SetClock
from tests.deals import RETURNED, SOLD, Deal, make_deal
from tests.factories import Market

STUDENTS = [{"field": "attributes.occupation", "op": "in", "value": ["student"]}]


def test_a_lead_that_met_the_orders_conditions_is_no_mistake_of_the_order(market: Market) -> None:
    deal = make_deal(market, filters=STUDENTS)
    deal.dispute("out_of_criteria", sub_reason="order_conditions", note="not a student")
    assert run_due(START)["disputes_judged"] == 1
    judged = deal.now()
    assert (judged["state"], judged["decided_by"]) == ("rejected", "machine")
    assert "meets every condition of version 1" in judged["decision_note"]
    assert (deal.state(), deal.money()) == ("delivered", SOLD)


def test_what_a_person_says_is_left_to_a_person_and_looked_at_once(market: Market) -> None:
    deal = make_deal(market, filters=STUDENTS)
    deal.dispute("out_of_criteria", note="says he is retired")
    assert [run_due(START)["disputes_judged"] for _ in range(2)] == [1, 0]
    assert deal.now()["state"] == "open"


def test_a_lead_whose_stored_fields_miss_the_pinned_conditions_is_returned(market: Market, database_url: str) -> None:
    deal = make_deal(market, filters=STUDENTS)
    change = """UPDATE marketplace.leads SET details = jsonb_set(details, '{attributes,occupation}', '"retired"')"""
    ask(database_url, "SELECT", first=change)
    deal.dispute("out_of_criteria")
    run_due(START)
    assert (deal.now()["state"], deal.money()) == ("upheld", RETURNED)
    assert "does not meet version 1" in deal.now()["decision_note"]
    [[actor, why]] = ask(database_url, "SELECT actor, why FROM marketplace.events WHERE move = 'open>upheld'")
    assert actor == "system:machine" and "occupation" in why


def test_an_order_that_was_edited_since_is_judged_as_it_was(market: Market) -> None:
    deal = make_deal(market)
    [order] = deal.buyer.get("/orders")["items"]
    deal.buyer.request("PATCH", f"/orders/{order['id']}", {"filters": [STUDENTS[0] | {"value": ["retired"]}]})
    deal.dispute("out_of_criteria", sub_reason="order_conditions")
    run_due(START)
    assert deal.now()["state"] == "rejected"


def test_a_person_whom_the_buyer_bought_before_is_a_duplicate(
    market: Market, clock: SetClock, database_url: str
) -> None:
    deal = make_deal(market)
    first = deal.buyer.get("/sales")["items"][0]
    body = market.lead()
    body["contact"]["email"] = first["lead"]["contact"]["email"]
    clock.advance(days=1)
    ask(database_url, "SELECT", first="DELETE FROM marketplace.person_keys")
    [again] = deal.publisher.post("/leads", body)["sales"]
    opened = deal.buyer.post(f"/sales/{again['id']}/disputes", {"reason": "duplicate"})
    deal.dispute("duplicate", sub_reason="bought_here")  # of the first sale: nothing was before it
    assert run_due(clock.instant)["disputes_judged"] == 2
    states = {one["id"]: one for one in deal.buyer.get("/disputes")["items"]}
    assert states[opened["id"]]["state"] == "upheld"
    assert first["id"] in states.pop(opened["id"])["decision_note"]
    assert [one["state"] for one in states.values()] == ["rejected"]


def test_a_reason_without_a_check_is_never_decided_by_the_machine() -> None:
    earlier = Earlier(datetime(2026, 1, 1, tzinfo=UTC), "a list")
    assert verdict_of("bot", Facts(None, 1, "all", earlier)) is None
    upheld = verdict_of("duplicate", Facts("on_own_list", 1, earlier=earlier))
    assert upheld is not None and "2026-01-01" in upheld.evidence
    assert verdict_of("duplicate", Facts(None, 1)) is None
    rejected = verdict_of("duplicate", Facts("on_own_list", 1))
    assert rejected is not None and rejected.state == "rejected"


def test_the_machine_looks_at_nothing_that_is_not_open_yet(deal: Deal, clock: SetClock) -> None:
    clock.advance(days=1)
    deal.dispute("out_of_criteria", sub_reason="order_conditions")
    assert run_due(START + timedelta(hours=23))["disputes_judged"] == 0
