"""A decision gives back the whole price, a part or nothing, without losing a cent, and the contact goes with the lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.jobs import run_due
from marketplace.leads.disputes.credit import Terms, reduced
from tests.deals import RELEASE, SOLD, Deal

HALF = {"amount": {"amount": "10.00", "currency": "EUR"}}


@pytest.mark.parametrize(
    ("decision", "said", "state"),
    [("partial", HALF, "partial"), ("partial", {"share_bp": 5000}, "partial"), ("reprice", HALF, "repriced")],
)
def test_half_the_price_goes_back_and_the_rest_is_a_smaller_sale(deal: Deal, decision, said, state) -> None:
    opened = deal.dispute("out_of_criteria", sub_reason="wrong_vertical")
    decided = deal.decide(opened, decision, **said).json
    assert (decided["state"], decided["credited"]["amount"]) == (state, "10.00")
    assert deal.buyer.get(f"/sales/{deal.sale}")["credited"]["amount"] == "10.00"
    assert deal.money() == ("80.00", "20.00", "7.00", "0.00", "0.00")
    run_due(RELEASE)
    assert deal.money() == ("90.00", "0.00", "0.00", "5.60", "1.40")
    assert deal.state() == "settled"


def test_the_same_part_again_changes_nothing_and_another_part_is_a_conflict(deal: Deal) -> None:
    opened = deal.dispute()
    first = deal.decide(opened, "partial", share_bp=2500)
    assert deal.decide(opened, "partial", share_bp=2500).json == first.json
    assert deal.decide(opened, "partial", share_bp=2600).json["code"] == "not_now"


def test_an_appeal_against_a_part_may_restore_everything(deal: Deal) -> None:
    opened = deal.dispute()
    deal.decide(opened, "partial", share_bp=3333)
    deal.publisher.post(f"/disputes/{opened['id']}/appeal", {"note": "all of it was good"})
    deal.decide(opened, "reject")
    assert (deal.state(), deal.money()) == ("delivered", SOLD)


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"decision": "partial"}, "amount", "missing"),
        ({"decision": "partial", **HALF, "share_bp": 1}, "amount", "missing"),
        ({"decision": "partial", "amount": {"amount": "20.00", "currency": "EUR"}}, "amount", "out_of_range"),
        ({"decision": "partial", "amount": {"amount": "-1.00", "currency": "EUR"}}, "amount", "out_of_range"),
        ({"decision": "partial", "amount": {"amount": "1.00", "currency": "USD"}}, "amount.currency", "wrong_currency"),
        ({"decision": "partial", "amount": {"amount": "1.001", "currency": "EUR"}}, "amount.amount", "bad_amount"),
        ({"decision": "uphold", **HALF}, "amount", "not_for_decision"),
        ({"decision": "reprice", **HALF}, "decision", "not_for_decision"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(deal: Deal, said, field, code) -> None:
    refused = deal.decide(deal.dispute(), **said)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_decision")
    assert [(fault["field"], fault["code"]) for fault in refused.json["errors"]] == [(field, code)]


def test_after_a_return_the_contact_is_masked_and_the_sale_says_when_the_right_to_it_ended(deal: Deal) -> None:
    before = deal.buyer.get(f"/sales/{deal.sale}")
    assert before["lead"]["contact"] is not None and before["contact_ended_at"] is None
    deal.decide(deal.dispute(), "uphold")
    for shown in (deal.buyer.get(f"/sales/{deal.sale}"), deal.buyer.get("/sales")["items"][0]):
        assert shown["lead"]["contact"] is None and shown["lead"]["comments"] is None
        assert shown["contact_ended_at"] == shown["ended_at"] is not None


@given(st.data())
def test_no_credit_loses_a_cent_or_pays_more_than_is_left(data: st.DataObject) -> None:
    price = data.draw(st.integers(1, 10**9))
    payout = data.draw(st.integers(0, price))
    full = Terms(price, payout, data.draw(st.integers(0, payout)))
    credit = data.draw(st.integers(0, price))
    rest = reduced(full, credit)
    assert rest.price_minor + credit == price
    assert 0 <= rest.reserve_minor <= rest.payout_minor <= rest.price_minor
    assert abs(rest.payout_minor * price - payout * rest.price_minor) * 2 <= price
    assert reduced(full, 0) == full and reduced(full, price) == (0, 0, 0)
