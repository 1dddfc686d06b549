"""What outsiders, faults and bad luck try with money by card, and what comes of it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from billing import Grant, find_session, place_hold, reconcile, set_credit_line
from billing.fake_stripe import balance
from billing.funding.chargebacks import announce_chargeback
from billing.funding.reading import fetch_news, handle_news, read_balance, send_calls
from billing.funding.top_ups import settle_payment
from billing.stripe_gateway import ChargedBack, Gateway, Payment, Undecided, gateway
from core.db import transaction
from core.ids import new_id, parse_id
from core.money import Money
from tests.billing.funding.conftest import DECLINED, Till, make_due, sql
from tests.billing.funding.test_returns import charge_of, refund


def test_an_object_that_errs_for_ever_stops_neither_the_news_nor_the_movements_behind_it(till: Till) -> None:
    till.pay(till.ask("10.00")["checkout_url"])
    [(session_id,)] = sql("SELECT session_id FROM billing.top_ups")
    payment_id = gateway().checkout(session_id).payment_id
    for path in (f"/v1/payment_intents/{payment_id}", f"/v1/checkout/sessions/{session_id}"):
        till.stripe.fault("500", path=path, times=0)
    till.pay(till.ask("20.00")["checkout_url"])

    for _ in range(3):
        with suppress(Undecided):
            till.look()
    assert till.wallet().available.minor == 2_000
    assert till.account(1010) == 2_000 - 55, "its movement is booked as well"

    till.stripe.clear_faults()
    till.look()
    assert till.wallet().available.minor == 3_000 and till.account(1010) == till.at_stripe()


def test_a_key_that_stripe_does_not_know_decides_nothing(till: Till) -> None:
    till.paid("100.00")
    before = till.at_stripe()
    till.stripe.fault("drop", path="/v1/refunds", times=1)
    refund(till, "60.00")
    till.look()
    make_due()
    stranger = Gateway("sk_test_of_somebody_else", till.stripe.url, None)

    assert send_calls(stranger) == 0, "the first attempt has taken effect"
    assert till.wallet().available.minor == 4_000
    sql(
        "UPDATE billing.card_calls SET next_attempt_at = now(), sent_at = now() - interval '2 d' WHERE ended_at IS NULL"
    )
    assert send_calls(stranger) == 0, "nor does it say that a call never arrived"
    with suppress(Undecided):
        handle_news(stranger, till.clock.now())
    assert till.wallet().available.minor == 4_000 and before - till.at_stripe() == 6_000

    make_due()
    till.look()
    till.look()
    assert till.wallet().available.minor == 4_000 and till.account(2200) == 0


def test_money_that_left_although_its_refund_is_said_to_have_failed_is_unexplained(till: Till) -> None:
    till.paid("100.00")
    refund(till, "60.00")
    till.look()
    assert reconcile().unexplained == ()
    sql("UPDATE billing.give_back_parts SET state = 'failed'")

    assert [(one.kind, one.money.minor) for one in reconcile().unexplained] == [("refund that failed and left", -6_000)]
    sql("UPDATE billing.give_back_parts SET state = 'sent'")


def test_a_refund_is_found_among_more_than_a_page_of_them(till: Till) -> None:
    payment_id = till.paid("100.00").payment_id
    for number in range(101):
        gateway().send_back({"payment_intent": payment_id, "amount": 1}, f"refund-{number}")

    assert len(gateway().sent_back_of(str(payment_id))) == 101
    till.look()
    assert till.account(2900) == 101, "nobody here ordered them"


def test_a_lost_event_is_fetched_though_a_later_one_came(till: Till) -> None:
    asked = till.ask()
    till.look()
    till.stripe.advance(25 * 3600)
    till.events()  # has it expire
    till.stripe.advance(3 * 3600)
    till.pay(till.ask("50.00")["checkout_url"])
    assert till.hook(till.events()[-1]) == 200
    till.look()

    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "expired"


def test_an_event_that_nobody_tells_of_any_more_is_made_up_for_within_the_hour(till: Till) -> None:
    asked = till.ask()
    till.look()
    till.stripe.advance(25 * 3600)
    till.look()
    sql("UPDATE billing.top_ups SET state = 'open', ended_at = NULL")
    till.clock.advance(hours=26)
    till.look()
    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "open", "not yet"

    make_due()
    till.look()
    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "expired"


def test_a_page_on_which_a_card_was_declined_expires_as_any(till: Till) -> None:
    asked = till.ask()
    till.pay(asked["checkout_url"], DECLINED)
    till.look()
    till.stripe.advance(25 * 3600)
    till.look()

    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "expired"


def test_a_chargeback_of_money_that_was_set_aside_takes_nothing_from_the_wallet(till: Till) -> None:
    till.credit("500.00")
    till.pay(till.ask("100.00")["checkout_url"])
    sql("UPDATE billing.top_ups SET amount_minor = 9000")
    till.look()
    till.stripe.lose_dispute(till.stripe.open_dispute(charge_of(till))["id"])
    till.look()

    wallet = till.wallet()
    assert (wallet.available.minor, wallet.frozen.minor, wallet.suspended_at) == (50_000, 0, None)
    assert till.account(2900) == 0, "what was set aside has gone back"
    assert till.account(1010) == till.at_stripe()


def test_money_that_went_and_came_back_in_one_second_is_booked_in_this_order(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.paid("100.00")
    numbers = count(9_999, -1)
    monkeypatch.setattr(balance, "new_id", lambda start: f"{start}_{next(numbers)}")
    monkeypatch.setattr("billing.fake_stripe.store.Store.now", lambda _: int(datetime.now(UTC).timestamp()) // 60 * 60)
    till.stripe.win_dispute(till.stripe.open_dispute(charge_of(till))["id"])
    till.look()

    assert till.wallet().available.minor == 10_000 and till.wallet().frozen.minor == 0
    assert till.account(2900) == 0 == till.account(1040)


def test_money_that_came_back_waits_for_the_booking_of_its_going(till: Till) -> None:
    till.paid("100.00")
    told = till.stripe.open_dispute(charge_of(till))
    till.stripe.win_dispute(told["id"])
    fetch_news(gateway())
    handle_news(gateway(), till.clock.now())
    till.stripe.fault("500", path=f"/v1/disputes/{told['id']}", times=1)  # when the first movement is explained
    for _ in range(3):
        read_balance(gateway(), till.clock.now())

    assert till.wallet().available.minor == 10_000 and till.account(2900) == 0 == till.account(1040)


def test_a_chargeback_lost_before_its_withdrawal_is_booked_ends_though_we_die_then(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.paid("100.00")
    told = till.stripe.open_dispute(charge_of(till))
    till.stripe.lose_dispute(told["id"])
    monkeypatch.setenv("FAILPOINT", "movement.booked:error")
    with suppress(RuntimeError):
        till.look()
    monkeypatch.delenv("FAILPOINT")
    till.look()
    make_due()
    till.look()

    assert till.wallet().suspended_at is not None and till.account(1040) == 0


def test_what_chargebacks_may_still_take_is_not_sent_back(till: Till) -> None:
    till.paid("100.00")
    till.clock.advance(minutes=1)
    till.paid("100.00")
    till.market.make_order(till.buyer, "60.00")
    publisher = till.market.make_publisher()
    for _ in range(2):
        assert publisher.post("/leads", till.market.lead())["status"] == "sold"
    told = till.stripe.open_dispute(charge_of(till))
    till.look()
    assert till.wallet().frozen.minor == 8_000
    till.credit("50.00")

    assert refund(till, "30.01", 409)["code"] == "funds", "20.00 are missing"
    refund(till, "30.00")
    till.stripe.lose_dispute(told["id"])
    till.look()
    assert refund(till, "1.00", 409)["code"] == "wallet_suspended"


def test_no_credit_is_given_on_what_a_chargeback_may_still_take(till: Till) -> None:
    account_id = till.paid("100.00").account_id
    give_line(till, account_id, "EUR")
    assert set_aside(till, account_id, Money(10_000, "EUR"))
    told = till.stripe.open_dispute(charge_of(till))
    till.look()
    assert till.wallet().at_stake_minor == 10_000 and till.wallet().room == Money(20_000, "EUR")
    assert not set_aside(till, account_id, Money(20_001, "EUR"))
    till.stripe.win_dispute(told["id"])
    till.look()
    assert till.wallet().at_stake_minor == 0 and till.wallet().room == Money(30_000, "EUR")


def test_whoever_owes_in_one_currency_takes_no_money_out_in_another(till: Till) -> None:
    account_id = till.paid("100.00").account_id
    give_line(till, account_id, "USD")
    refund(till, "10.00")
    assert set_aside(till, account_id, Money(500, "USD"))
    assert refund(till, "50.00", 409)["code"] == "owes_elsewhere"


def give_line(till: Till, account_id: UUID, currency: str) -> None:
    with transaction():
        limit = Money(30_000, currency)
        set_credit_line(account_id, Grant(limit, 30, limit, "for a test"), "tester", till.clock.now())


def set_aside(till: Till, account_id: UUID, money: Money) -> bool:
    hold_id = new_id()
    with transaction():
        return place_hold(hold_id, account_id, money, "click", f"click:{hold_id}:hold", "tester", till.clock.now())


def test_a_question_of_the_bank_that_was_dropped_holds_up_nothing(till: Till) -> None:
    payment_id = till.paid("100.00").payment_id
    for state, code in (("open", 422), ("dropped", 201)):
        with transaction():
            told = ChargedBack("du_question", payment_id, Money(10_000, "EUR"), state, "general")  # type: ignore[arg-type]
            announce_chargeback(told, till.clock.now())
        refund(till, "100.00", code)


def test_a_payment_in_a_currency_that_is_not_traded_is_set_aside(till: Till) -> None:
    till.ask()
    [(top_up_id,)] = sql("SELECT id FROM billing.top_ups")
    with transaction():
        paid = Payment("pi_other", True, Money(10_000, "AED"), None, str(top_up_id))
        assert settle_payment(paid, till.clock.now()) == "set_aside"


def new_here(till: Till) -> None:
    sql("UPDATE core.accounts SET registered_at = :at", at=till.clock.now())


def test_a_newcomers_limit_is_one_for_all_currencies(till: Till) -> None:
    new_here(till)
    till.ask("900.00", "EUR")

    assert till.ask("100.01", "USD", status=422)["errors"][0]["code"] == "new_card_limit"


def test_a_page_counts_from_when_it_is_paid(till: Till) -> None:
    new_here(till)
    url = till.ask("1000.00")["checkout_url"]
    till.clock.advance(hours=23)
    till.pay(url)
    till.look()
    till.clock.advance(hours=2)

    assert till.ask("100.00", status=422)["errors"][0]["code"] == "new_card_limit"


def test_a_first_payment_is_no_page_that_nobody_paid(till: Till) -> None:
    new_here(till)
    till.ask("100.00")

    assert till.ask("1.00", status=422)["errors"][0]["code"] == "amount_out_of_range"


def test_only_the_last_minutes_are_read_again_but_a_day_once_an_hour(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    since: list[timedelta] = []
    read = Gateway.movements_since

    def movements_since(self: Gateway, instant: datetime) -> Any:
        since.append(datetime.now(UTC) - instant)
        return read(self, instant)

    monkeypatch.setattr(Gateway, "movements_since", movements_since)
    till.look()
    till.look()
    make_due()
    till.look()

    assert since[0] > timedelta(days=365) and since[1] < timedelta(minutes=11) and since[2] > timedelta(hours=23)


def test_sessions_of_others_are_not_found_on_the_way_back(till: Till) -> None:
    asked = till.ask()
    session_id = asked["checkout_url"].rsplit("/", 1)[1]

    with transaction():
        assert find_session(UUID(int=7), session_id) is None
        assert find_session(parse_id("acc", till.buyer.id), session_id) is not None


def test_a_payment_that_is_told_of_after_the_end_of_its_page_counts(till: Till) -> None:
    asked = till.ask("100.00")
    till.pay(asked["checkout_url"])
    sql("UPDATE billing.top_ups SET state = 'expired', ended_at = now()")
    till.look()

    assert till.wallet().available.minor == 10_000
    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "paid"


def test_a_customer_who_is_gone_at_stripe_is_made_anew(till: Till) -> None:
    till.paid("100.00")
    sql("UPDATE billing.card_customers SET customer_id = 'cus_gone'")

    assert till.ask(status=409)["code"] == "top_up_refused"
    assert till.pay(till.ask()["checkout_url"]) == 303
