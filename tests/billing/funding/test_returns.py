"""Money on its way back: refunds of unused money to the cards that paid, and chargebacks."""

from typing import Any

from sqlalchemy import text

from core.db import transaction
from tests.billing.funding.conftest import Till


def refund(till: Till, amount: str, status: int = 201) -> Any:
    return till.post("/refunds", amount, status=status)


def charge_of(till: Till) -> str:
    with transaction() as session:
        query = (
            "SELECT source_id FROM billing.balance_transactions WHERE booked_as = 'card_payment' ORDER BY created_at"
        )
        return str(session.execute(text(query)).scalars().first())


def test_unused_money_goes_back_to_the_cards_it_came_from_the_newest_first(till: Till) -> None:
    till.paid("100.00")
    till.clock.advance(minutes=1)
    till.paid("50.00")

    refund(till, "120.00")
    assert till.wallet().available.minor == 3_000 and till.account(2200) == -12_000
    till.look()
    till.look()

    assert till.account(2200) == 0 and till.account(1010) == till.at_stripe()
    with transaction() as session:
        parts = session.execute(text("SELECT amount_minor, state FROM billing.give_back_parts ORDER BY id")).all()
    assert [tuple(part) for part in parts] == [(5_000, "sent"), (7_000, "sent")]
    [shown] = till.buyer.get("/refunds")["items"]
    assert shown["sent"]["amount"] == "120.00"


def test_no_more_goes_back_than_came_by_card_or_is_available(till: Till) -> None:
    till.paid("100.00")
    till.credit("500.00")

    assert refund(till, "100.01", 422)["errors"][0]["code"] == "amount_out_of_range"
    assert refund(till, "0", 422)["errors"][0]["code"] == "amount_out_of_range"
    refund(till, "60.00")
    assert refund(till, "40.01", 422)["errors"][0]["code"] == "amount_out_of_range", "what is on its way counts"
    refund(till, "40.00")
    till.look()
    assert till.wallet().available.minor == 50_000


def test_a_refund_that_the_bank_refuses_later_is_back_in_the_wallet_once(till: Till) -> None:
    till.paid("100.00")
    till.stripe.fault("refund_fails")
    refund(till, "60.00")
    for _ in range(3):
        till.look()

    assert till.wallet().available.minor == 10_000 and till.account(2200) == 0
    assert till.account(1010) == till.at_stripe()


def test_what_came_back_is_booked_and_receipted_in_business_time(till: Till) -> None:
    till.paid("100.00")
    till.clock.advance(days=400)
    till.stripe.fault("refund_fails")
    refund(till, "60.00")
    for _ in range(3):
        till.look()

    at = till.clock.now()
    with transaction() as session:
        booked = session.execute(text("SELECT occurred_at FROM billing.transactions WHERE kind = 'give_back_failed'"))
        assert booked.all() == [(at,)]
        issued = session.execute(
            text("SELECT issued_at, year FROM billing.documents WHERE content ->> 'method' = 'returned'")
        )
        assert issued.all() == [(at, at.year)]
        ended = session.execute(text("SELECT state, ended_at FROM billing.give_back_parts"))
        assert ended.all() == [("failed", at)]


def test_a_lost_answer_to_a_refund_sends_nothing_twice(till: Till) -> None:
    till.paid("100.00")
    before = till.at_stripe()
    till.stripe.fault("drop", path="/v1/refunds", times=1)
    refund(till, "60.00")
    till.look()
    with transaction() as session:
        session.execute(text("UPDATE billing.card_calls SET next_attempt_at = now()"))
    till.look()
    till.look()

    assert before - till.at_stripe() == 6_000 and till.account(2200) == 0
    assert till.account(1010) == till.at_stripe()


def test_a_call_whose_key_is_forgotten_is_looked_up_and_never_sent_again(till: Till) -> None:
    till.paid("100.00")
    before = till.at_stripe()
    till.stripe.fault("drop", path="/v1/refunds", times=1)
    refund(till, "60.00")
    till.look()
    with transaction() as session:
        session.execute(text("UPDATE billing.card_calls SET next_attempt_at = now(), sent_at = now() - interval '2 d'"
                             " WHERE verb = 'send_back'"))  # fmt: skip
    till.stripe.advance(48 * 3600)
    till.look()
    till.look()

    assert before - till.at_stripe() == 6_000 and till.account(2200) == 0


def test_a_chargeback_freezes_what_is_left_and_gives_it_back_when_it_is_won(till: Till) -> None:
    till.paid("100.00")
    told = till.stripe.open_dispute(charge_of(till))
    till.look()
    till.look()
    wallet = till.wallet()
    assert (wallet.available.minor, wallet.frozen.minor) == (0, 10_000) and till.account(1040) == 10_000

    till.stripe.win_dispute(told["id"])
    till.look()
    till.look()

    wallet = till.wallet()
    assert (wallet.available.minor, wallet.frozen.minor) == (10_000, 0) and till.account(1040) == 0
    assert till.account(1010) == till.at_stripe() and wallet.suspended_at is None


def test_what_was_charged_back_is_never_sent_back_as_well(till: Till) -> None:
    till.paid("100.00")
    till.stripe.open_dispute(charge_of(till))
    till.look()
    till.credit("100.00")

    assert refund(till, "1.00", 422)["errors"][0]["code"] == "amount_out_of_range"


def test_a_chargeback_that_is_lost_takes_the_frozen_part_and_the_rest_is_owed(till: Till) -> None:
    till.paid("100.00")
    till.market.make_order(till.buyer, "60.00")
    assert till.market.make_publisher().post("/leads", till.market.lead())["status"] == "sold"
    told = till.stripe.open_dispute(charge_of(till))
    till.look()
    assert till.wallet().frozen.minor == 4_000, "the rest is held for a lead"
    till.stripe.lose_dispute(told["id"])
    till.look()
    till.look()

    wallet = till.wallet()
    assert (wallet.available.minor, wallet.frozen.minor) == (0, 0) and wallet.suspended_at is not None
    assert till.account(1040) == 0 and till.account(1010) == till.at_stripe()
    assert till.account(1110) == 6_000

    till.paid("70.00")  # whatever comes in pays what is owed, first
    assert till.account(1110) == 0 and till.wallet().owing.minor == 0
    assert till.wallet().available.minor == 1_000


def test_a_chargeback_that_was_lost_before_we_looked_ends_the_same(till: Till) -> None:
    till.paid("100.00")
    told = till.stripe.open_dispute(charge_of(till))
    till.stripe.lose_dispute(told["id"])
    till.look()
    till.look()

    assert till.wallet().suspended_at is not None and till.account(1040) == 0
