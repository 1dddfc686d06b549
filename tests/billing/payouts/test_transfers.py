"""A payout by transfer from draft to arrival: what is refused, unknown, short of money, sent back and taken back."""

from datetime import timedelta

import pytest

from billing import (
    take_payout_back,
    try_payout_again,
)
from billing.funding.due import run_cards
from billing.payouts.ordering import order_covered
from billing.stripe_gateway import gateway
from core.db import transaction
from core.errors import Conflict, Unavailable
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import ANNA, House, make_due, sql, told


def test_a_draft_moves_nothing_and_what_is_covered_arrives_once(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    assert (house.state(payout), house.cents(earner)) == ("approved", (10_000, 0, 0))

    house.look()
    house.look()

    assert house.steps(payout) == [(one, None) for one in ("drafted", "approved", "ordered", "sent", "paid")]
    assert (house.cents(earner), house.theirs(account)) == ((0, 0, 10_000), 10_000)
    assert [one.transfer_group for one in house.transfers()] == [str(payout)]
    assert house.till.account(1010) == house.till.at_stripe()
    assert [one["state"] for one in told("payout.sent")] == ["sent"]


def test_one_run_pays_an_earner_once_however_often_it_drafts(house: House, paid) -> None:
    earner, _ = paid

    first, second = house.draft(earner, 10_000, "the run"), house.draft(earner, 10_000, "the run")

    assert first == second and house.till.count("payouts") == 1


def test_a_second_draft_waits_while_the_first_is_not_ordered(house: House, paid) -> None:
    earner, _ = paid
    house.draft(earner, 6_000)

    other = house.payout(house.draft(earner, 4_000))

    assert (other.state, other.reason) == ("skipped", "draft_waits")


def test_what_came_back_meanwhile_is_not_paid_out(house: House, paid) -> None:
    earner, _ = paid
    payout = house.draft(earner, 10_001)

    house.look()

    assert house.payout(payout).reason == "balance_fell" and house.state(payout) == "withdrawn"
    assert house.cents(earner) == (10_000, 0, 0)


def test_a_transfer_waits_until_the_balance_covers_it_and_says_so(house: House) -> None:
    earner = house.earner(50_000)
    house.onboard(earner)
    payout = house.draft(earner, 50_000)

    house.look()
    house.look()
    assert (house.state(payout), house.payout(payout).reason) == ("approved", "waits_for_balance")
    assert [reason for _, reason in house.steps(payout)].count("waits_for_balance") == 1

    house.fund()
    house.look()
    assert house.state(payout) == "paid"


def test_what_is_small_enough_is_sent_before_what_is_not_covered(house: House) -> None:
    house.fund("100.00")
    large, small = house.earner(50_000), house.earner(5_000)
    house.onboard(large), house.onboard(small)
    first, second = house.draft(large, 50_000), house.draft(small, 5_000)

    house.look()

    assert (house.state(first), house.state(second)) == ("approved", "paid")


def test_money_that_is_still_on_its_way_to_us_covers_nothing(house: House) -> None:
    house.till.stripe.fault("funds_pending", seconds=86_400)
    house.fund()
    earner = house.earner()
    house.onboard(earner)
    payout = house.draft(earner, 10_000)

    house.look()

    assert house.payout(payout).reason == "waits_for_balance" and house.transfers() == []


def test_two_workers_at_once_send_one_transfer(house: House, paid) -> None:
    earner, account = paid
    house.draft(earner, 10_000)

    at_once(house.till, house.look, house.look)
    house.look(again=True)

    assert (len(house.transfers()), house.theirs(account), house.cents(earner)) == (1, 10_000, (0, 0, 10_000))


@pytest.mark.parametrize("fault", ["drop", "500", "429", "500_after"])
def test_an_unknown_outcome_is_asked_again_with_the_same_key(house: House, paid, fault: str) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.till.stripe.fault(fault, method="POST", path="/v1/transfers")

    house.look()
    house.till.stripe.clear_faults()
    house.look(again=True)
    house.look(again=True)

    assert (house.state(payout), len(house.transfers()), house.theirs(account)) == ("paid", 1, 10_000)


@pytest.mark.parametrize("arrived", [True, False], ids=["it had arrived", "it never arrived"])
def test_after_23_hours_a_transfer_is_looked_up_and_never_sent_again(house: House, paid, arrived: bool) -> None:
    earner, _ = paid
    payout = house.draft(earner, 10_000)
    house.till.stripe.fault("drop" if arrived else "500", method="POST", path="/v1/transfers", times=1)
    house.till.stripe.fault("webhook_lost", times=0)
    # Neither events nor movements tell of it before it is looked up.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("billing.funding.due.fetch_news", lambda door: 0)
        patch.setattr("billing.funding.due.read_balance", lambda door, at: 0)
        house.look()
        assert house.state(payout) == "ordered"
        sql("UPDATE billing.card_calls SET sent_at = sent_at - interval '24 h' WHERE verb = 'send_transfer'")
        house.look(again=True)

    assert house.state(payout) == ("sent" if arrived else "refused")
    assert len(house.transfers()) == arrived
    house.look()
    assert house.cents(earner) == ((0, 0, 10_000) if arrived else (10_000, 0, 0))


def test_a_lost_answer_is_made_up_for_by_the_movement_alone(house: House, paid) -> None:
    earner, _ = paid
    payout = house.draft(earner, 10_000)
    house.till.stripe.fault("drop", method="POST", path="/v1/transfers")

    house.look()

    assert house.state(payout) == "paid" and house.cents(earner) == (0, 0, 10_000)
    house.look(again=True)
    assert len(house.transfers()) == 1 and house.steps(payout)[-1] == ("paid", None)


def test_a_definite_refusal_is_booked_told_and_keyed_anew(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    with transaction():
        sql_order(house, payout)
    house.till.stripe.control("POST", f"accounts/{account}/rejected")

    house.look()

    assert (house.state(payout), house.payout(payout).reason) == ("refused", "insufficient_capabilities_for_transfer")
    assert (house.cents(earner), len(told("payout.failed"))) == ((10_000, 0, 0), 1)
    key = house.payout(payout).key
    with transaction():
        again = try_payout_again(payout, None, ANNA, house.now)
        assert again.attempt == 2 and again.key == f"{key}:2"
        assert try_payout_again(payout, None, ANNA, house.now).id == again.id
    keys = sql("SELECT idempotency_key FROM billing.card_calls WHERE verb = 'send_transfer'")
    assert [row[0] for row in keys] == [f"leadbourse:{payout}"]


def sql_order(house: House, payout) -> None:
    """Order without asking whether it is covered, as a worker that read the balance a moment ago."""
    from_before = {"EUR": 10**9}
    order_covered(from_before, house.now)


def test_a_balance_that_fell_meanwhile_is_a_refusal_and_the_next_attempt_waits(house: House) -> None:
    earner = house.earner(50_000)
    account = house.onboard(earner)
    payout = house.draft(earner, 50_000)
    with transaction():
        sql_order(house, payout)

    house.look()

    assert (house.state(payout), house.payout(payout).reason) == ("refused", "balance_insufficient")
    (later,) = sql("SELECT id, state, attempt FROM billing.payouts WHERE id <> :id", id=payout)
    assert later[1:] == ("approved", 2) and told("payout.failed") == []
    house.fund()
    house.look()
    assert house.state(later[0]) == "paid" and (len(house.transfers()), house.theirs(account)) == (1, 50_000)


def test_a_closed_account_gets_nothing(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.till.stripe.control("POST", f"accounts/{account}/closed")
    with transaction():
        sql_order(house, payout)

    house.look()

    assert (house.state(payout), house.cents(earner)) == ("refused", (10_000, 0, 0))
    (rail,) = sql("SELECT state, reason FROM billing.payout_rails WHERE ended_at IS NULL")
    assert tuple(rail) == ("closed", "account_closed")


def test_who_has_not_said_who_he_is_gets_nothing(house: House) -> None:
    house.fund()
    earner = house.earner()
    house.onboard(earner, complete=False)
    payout = house.draft(earner, 10_000)

    house.look()

    assert (house.state(payout), house.payout(payout).reason) == ("withdrawn", "onboarding_unfinished")


def test_a_transfer_taken_back_is_payable_again(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.look()
    with transaction():
        take_payout_back(payout, "paid by mistake", ANNA, house.now)
    with pytest.raises(Conflict), transaction():
        take_payout_back(payout, "twice", ANNA, house.now)

    house.look()

    assert (house.state(payout), house.cents(earner), house.theirs(account)) == ("reversed", (10_000, 0, 0), 0)
    assert house.till.account(1010) == house.till.at_stripe()


def test_what_is_gone_there_cannot_be_taken_back(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.look()
    to_bank(house, account, 10_000)
    with transaction():
        take_payout_back(payout, "paid by mistake", ANNA, house.now)

    house.look()

    assert (house.state(payout), house.payout(payout).reason) == ("paid", "not_taken_back")
    assert house.cents(earner) == (0, 0, 10_000)


def test_a_part_taken_back_on_stripes_own_pages_is_booked_too(house: House, paid) -> None:
    earner, _ = paid
    payout = house.draft(earner, 10_000)
    house.look()

    gateway()._client.transfers.reversals.create(house.payout(payout).object_id, {"amount": 2_500})
    house.look()
    assert (house.state(payout), house.cents(earner)) == ("paid", (2_500, 0, 7_500))
    gateway()._client.transfers.reversals.create(house.payout(payout).object_id)
    house.look()
    assert (house.state(payout), house.cents(earner)) == ("reversed", (10_000, 0, 0))


def to_bank(house: House, account: str, cents: int) -> None:
    """Have the account send money to its owner's bank, as Stripe does by itself every day."""
    gateway()._client.payouts.create({"amount": cents, "currency": "eur"}, {"stripe_account": account})


def test_a_payout_that_the_bank_sends_back_after_it_was_paid_is_told_and_mended(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.look()
    house.till.stripe.fault("payout_fails", seconds=3600)
    to_bank(house, account, 10_000)
    house.look()
    assert house.state(payout) == "paid"

    house.till.stripe.advance(3601)
    house.look()

    assert (house.state(payout), house.payout(payout).reason) == ("failed", "bank_sent_back")
    assert [one["reason"] for one in told("payout.failed")] == ["bank_sent_back"]
    assert house.cents(earner) == (0, 0, 10_000)  # the money is his, at Stripe
    (rail,) = sql("SELECT state, reason FROM billing.payout_rails WHERE ended_at IS NULL")
    assert tuple(rail) == ("pending", "more_needed")

    house.onboard(earner)
    to_bank(house, account, 10_000)
    house.till.clock.advance(hours=2)
    house.look()
    assert house.state(payout) == "paid"


def test_a_transfer_that_names_our_payout_a_second_time_stands_in_suspense(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.look()

    gateway()._client.transfers.create(
        {"amount": 10_000, "currency": "eur", "destination": account, "metadata": {"leadbourse": str(payout)}}
    )
    house.look()

    assert house.state(payout) == "paid" and house.till.account(2900) == 10_000


def test_a_lost_event_of_an_account_is_made_up_for_within_the_hour(house: House) -> None:
    house.fund()
    earner = house.earner()
    account = house.onboard(earner)
    sql("UPDATE billing.payout_rails SET checked_at = :at", at=house.now)
    house.till.stripe.control("POST", f"accounts/{account}/restricted")
    from_now = house.now + timedelta(hours=1)
    run_cards(house.now, fetches=True)
    assert sql("SELECT state FROM billing.payout_rails")[0][0] == "ready"

    run_cards(from_now, fetches=True)

    assert sql("SELECT state FROM billing.payout_rails")[0][0] == "pending"


def test_an_account_whose_answer_was_lost_is_the_same_account(house: House) -> None:
    earner = house.earner()
    house.till.stripe.fault("drop", method="POST", path="/v1/accounts")
    with pytest.raises(Unavailable):
        house.onboard(earner)
    make_due()

    account = house.onboard(earner)

    assert [one.id for one in gateway()._client.accounts.list().data] == [account]


def test_whose_account_was_closed_opens_another_one(house: House, paid) -> None:
    earner, account = paid
    house.till.stripe.control("POST", f"accounts/{account}/closed")
    house.look()

    assert house.onboard(earner) != account
    payout = house.draft(earner, 10_000)
    house.look()
    assert house.state(payout) == "paid"


def test_who_comes_back_to_the_processor_has_the_account_from_before(house: House, paid) -> None:
    earner, account = paid
    house.sepa(earner)

    assert house.onboard(earner) == account
    assert house.payout(house.draft(earner, 10_000)).state == "approved"
