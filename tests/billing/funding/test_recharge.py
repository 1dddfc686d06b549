"""Wallets that top themselves up: one charge at a time, within the day's limit, booked once, told when it cannot be."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError

from billing.funding.due import run_cards
from billing.funding.reading import send_calls
from billing.funding.recharge.charging import recharge_due, recharge_one
from billing.stripe_gateway import gateway
from core.db import transaction
from core.ids import new_id
from marketplace.wallet_mails import wallet_mail
from tests.billing.funding.conftest import ASKS, GOOD, Till, at_once, make_due, sql
from tests.billing.funding.saved import (
    LATER,
    PROVES,
    buy,
    charges,
    codes,
    euros,
    owner,
    save_card,
    switch_on,
    work,
)


def mails() -> list[str]:
    found = sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'billing.wallet_mail' ORDER BY id")
    return [row.args["what"] for row in found]


def state(till: Till) -> dict:  # type: ignore[type-arg]
    shown: dict = till.buyer.get("/wallet/recharges/EUR")  # type: ignore[type-arg]
    return shown


def test_a_low_wallet_is_filled_from_the_saved_card_and_only_once(till: Till) -> None:
    save_card(till)
    switch_on(till)
    work(till)
    work(till)

    assert till.wallet().available.minor == 30_000 and charges() == [("paid", 30_000)]
    assert till.account(1010) == till.at_stripe() == 30_000 - 475
    assert codes(till) == ["changed", "charge", "paid"]
    shown = state(till)
    assert (shown["now"], shown["charged_today"]["amount"]) == ("enough", "300.00")


def test_a_sale_waits_for_no_card_and_the_next_round_fills_the_wallet(till: Till) -> None:
    save_card(till)
    switch_on(till)
    work(till)
    buy(till, "250.00")
    assert till.wallet().available.minor == 5_000 and len(charges()) == 1

    work(till)
    assert charges() == [("paid", 30_000), ("paid", 25_000)] and till.wallet().available.minor == 30_000


def test_answer_and_webhook_of_one_charge_book_it_once_in_either_order(till: Till) -> None:
    save_card(till)
    switch_on(till)
    till.stripe.fault("drop", path="/v1/payment_intents")  # it took effect, and nobody heard
    recharge_due(till.clock.now())
    send_calls(gateway())
    assert till.wallet().available.minor == 0 and till.at_stripe() > 0
    for raw in till.events() * 2:
        till.hook(raw)
    run_cards(till.clock.now())
    assert till.wallet().available.minor == 30_000

    work(till)
    assert till.wallet().available.minor == 30_000 and codes(till) == ["changed", "charge", "paid"]


def test_a_charge_without_a_known_outcome_keeps_its_place_until_it_is_looked_up(till: Till) -> None:
    save_card(till)
    switch_on(till)
    till.stripe.fault("500", path="/v1/payment_intents", times=0)
    work(till)
    work(till)
    assert charges() == [("opening", 30_000)] and state(till)["now"] == "in_flight"
    till.stripe.clear_faults()
    sql("UPDATE billing.card_calls SET sent_at = now() - interval '2 d' WHERE ended_at IS NULL")
    make_due()
    send_calls(gateway())

    assert charges() == [("refused", 30_000)] and codes(till) == ["changed", "charge", "not_sent"]
    work(till)
    assert charges()[1:] == [("paid", 30_000)] and till.wallet().available.minor == 30_000


def test_a_charge_whose_answer_was_lost_for_days_is_found_among_the_customers_payments(till: Till) -> None:
    save_card(till)
    switch_on(till)
    till.stripe.fault("drop", path="/v1/payment_intents")
    run_cards(till.clock.now())
    sql("UPDATE billing.card_calls SET sent_at = now() - interval '2 d' WHERE ended_at IS NULL")
    sql("UPDATE billing.card_news SET handled_at = now(), outcome = 'for a test' WHERE handled_at IS NULL")
    make_due()
    send_calls(gateway())

    assert charges() == [("paid", 30_000)] and till.wallet().available.minor == 30_000


def test_rounds_at_once_order_one_charge(till: Till) -> None:
    save_card(till)
    switch_on(till)

    def order() -> None:
        with transaction():
            recharge_one(owner(till), "EUR", till.clock.now())

    assert at_once(till, *[order] * 6) == []
    assert charges() == [("opening", 30_000)]


def test_the_database_refuses_a_second_charge_in_flight(till: Till) -> None:
    save_card(till)
    switch_on(till)
    with transaction():
        recharge_one(owner(till), "EUR", till.clock.now())

    with pytest.raises(IntegrityError, match="top_ups_one_recharge"):
        sql("INSERT INTO billing.top_ups (id, account_id, currency, amount_minor, actor, opened_at, card_id) "
            "SELECT :id, account_id, currency, 1, 'x', now(), card_id FROM billing.top_ups", id=new_id())  # fmt: skip


def test_the_days_limit_is_exact_and_ends_at_midnight(till: Till) -> None:
    save_card(till)
    switch_on(till, threshold=euros("290.00"), daily_limit=euros("450.00"))
    work(till)
    buy(till, "200.00")
    work(till)
    buy(till, "150.00")
    work(till)
    assert [minor for _, minor in charges()] == [30_000, 15_000]
    assert state(till)["now"] == "daily_limit" and codes(till)[-1] == "daily_limit"
    work(till)
    assert codes(till).count("daily_limit") == 1

    till.clock.advance(hours=14)  # 22 November, 10:00, and then the 23rd, 00:00
    work(till)
    assert [minor for _, minor in charges()] == [30_000, 15_000, 25_000]


def test_a_declined_card_is_left_alone_longer_each_time_and_then_its_owner_is_asked(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    for hours, tries in ((0, 1), (0.9, 1), (0.2, 2), (5.9, 2), (0.2, 3), (23.9, 3), (0.2, 4), (500, 4)):
        till.clock.advance(hours=hours)
        work(till)
        assert len(charges()) == tries, hours
    assert {row[0] for row in charges()} == {"refused"} and till.wallet().available.minor == 0
    assert codes(till) == ["changed"] + ["charge", "declined"] * 4 and mails() == ["paused"]
    assert (state(till)["now"], state(till)["paused"]) == ("paused", "declined")

    assert till.buyer.post("/wallet/recharges/EUR/resume")["paused"] is None
    work(till)
    assert len(charges()) == 5


def switch_off(till: Till) -> None:
    switch_on(till, on=False)


def remove(till: Till) -> None:
    card = till.buyer.get("/wallet/cards")["items"][0]
    assert till.buyer.request("DELETE", f"/wallet/cards/{card['id']}").status_code == 200


def suspend(till: Till) -> None:
    sql("UPDATE billing.wallets SET suspended_at = now() WHERE account_id = :id", id=owner(till))


def choose_less(till: Till) -> None:
    switch_on(till, daily_limit=euros("299.99"), target=euros("350.00"))


def pay_by_bank(till: Till) -> None:
    till.credit("50.00")


def give_back(till: Till) -> None:
    assert till.post("/refunds", "10.00")["recharge_switched_off"]


AT_ONCE = ("switched off", "card was removed", "sent back")  # and not only at the moment of sending


@pytest.mark.parametrize(("change", "says"), [
    (switch_off, "switched off"), (remove, "card was removed"), (suspend, "suspended"), (choose_less, "used up"),
    (pay_by_bank, "Enough is in the wallet"), (give_back, "sent back"),
])  # fmt: skip
def test_what_was_ordered_and_is_not_wanted_any_more_is_not_sent(
    till: Till, change: Callable[[Till], None], says: str
) -> None:
    till.paid("50.00")
    there = till.at_stripe()
    save_card(till)
    switch_on(till, target=euros("350.00"))
    recharge_due(till.clock.now())
    change(till)
    assert charges() == [("refused" if says in AT_ONCE else "opening", 30_000)]
    send_calls(gateway())

    assert charges() == [("refused", 30_000)] and till.at_stripe() in (there, there - 1_000)
    [told] = [item for item in till.buyer.get("/wallet/recharges/EUR/log")["items"] if item["code"] == "withdrawn"]
    assert says in told["says"] and told["amount"]["amount"] == "300.00"


def test_a_wallet_that_was_suspended_since_is_not_charged(till: Till) -> None:
    till.credit("50.00")
    save_card(till)
    switch_on(till)
    recharge_due(till.clock.now())
    suspend(till)
    work(till)

    assert charges() == [("refused", 25_000)] and codes(till) == ["changed", "charge", "withdrawn", "suspended"]


def test_a_charge_that_is_sent_and_switched_off_at_once_is_either_paid_or_never_sent(till: Till) -> None:
    save_card(till)
    switch_on(till)
    recharge_due(till.clock.now())
    at_once(till, lambda: send_calls(gateway()), lambda: switch_off(till))
    [(state, _)] = charges()
    assert (state, till.at_stripe() > 0) in (("paid", True), ("refused", False))


@pytest.mark.parametrize(("fault", "ending"), [("500", "refused"), ("drop", "paid")])
def test_what_was_sent_before_it_was_switched_off_is_looked_up_and_not_sent_again(
    till: Till, fault: str, ending: str
) -> None:
    save_card(till)
    switch_on(till)
    recharge_due(till.clock.now())
    till.stripe.fault(fault, path="/v1/payment_intents")
    send_calls(gateway())
    switch_off(till)
    make_due()
    send_calls(gateway())
    assert charges() == [("opening" if fault == "500" else "paid", 30_000)]
    sql("UPDATE billing.card_calls SET sent_at = now() - interval '61 m' WHERE ended_at IS NULL")
    make_due()
    send_calls(gateway())

    assert charges() == [(ending, 30_000)] and (till.at_stripe() > 0) == (ending == "paid")


def test_a_new_card_ends_a_pause_and_is_charged(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    assert state(till)["now"] == "waiting"
    save_card(till, GOOD)
    work(till)

    assert charges() == [("refused", 30_000), ("paid", 30_000)]
    assert codes(till) == ["changed", "charge", "declined", "resumed", "charge", "paid"]


def test_a_bank_that_asks_for_its_customer_has_the_amount_paid_on_a_page(till: Till) -> None:
    save_card(till, PROVES)
    switch_on(till)
    work(till)
    till.clock.advance(hours=48)
    work(till)
    assert len(charges()) == 1 and mails() == ["authentication"]
    shown = state(till)
    assert (shown["now"], shown["paused"], shown["pay_first"]["amount"]) == ("paused", "authentication", "300.00")
    [row] = sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'billing.wallet_mail'")
    subject, says = wallet_mail("authentication", row.args["told"], "https://x.example")
    assert subject == "Your bank wants you to confirm a top-up" and "300.00 EUR" in says
    assert "https://x.example/buyer/wallet/top-up?amount=300.00&currency=EUR&save=1" in says

    till.paid("299.99")
    assert state(till)["paused"] == "authentication"
    till.paid("300.00")
    assert (state(till)["paused"], state(till)["pay_first"]) == (None, None)
    buy(till, "550.00")
    work(till)
    assert "resumed" in codes(till) and len(charges()) == 2


def test_a_card_that_was_set_up_for_it_is_charged_without_its_owner(till: Till) -> None:
    save_card(till, ASKS)
    switch_on(till)
    work(till)

    assert charges() == [("paid", 30_000)]


@pytest.mark.parametrize("ending", ["open", "lost"])
def test_after_a_chargeback_no_card_is_charged(till: Till, ending: str) -> None:
    save_card(till)
    switch_on(till)
    work(till)
    [charge] = sql("SELECT source_id FROM billing.balance_transactions WHERE booked_as = 'card_payment'")
    told = till.stripe.open_dispute(charge.source_id)
    till.look()
    if ending == "lost":
        till.stripe.lose_dispute(told["id"])
        till.look()
    work(till)

    code = "charged_back" if ending == "open" else "suspended"
    assert len(charges()) == 1 and state(till)["now"] == code and codes(till)[-1] == code


def test_settings_are_changed_under_their_version_and_refused_with_every_fault(till: Till) -> None:
    assert state(till)["version"] == 0
    switch_on(till, 422, threshold=euros("0"), target=euros("1.001"), daily_limit={"amount": "1", "currency": "USD"})
    save_card(till)
    first = switch_on(till)
    body = {"on": False, "daily_limit": euros("900.00")}
    stale = till.buyer.request("PUT", "/wallet/recharges/EUR", body, If_Match='"0"')
    assert (stale.status_code, stale.json["code"]) == (409, "version_changed")
    told = till.buyer.request("PUT", "/wallet/recharges/EUR", body, If_Match=f'"{first["version"]}"')
    assert (told.status_code, told.headers["ETag"]) == (200, '"2"')
    work(till)

    assert charges() == [] and codes(till) == ["changed", "switched_off"]
    assert till.buyer.request("GET", "/wallet/recharges/JPY").status_code == 404
    assert till.buyer.request("PUT", "/wallet/recharges/EUR", body, If_Match="x").json["code"] == "bad_if_match"


def test_a_newcomer_is_charged_no_more_than_new_cards_may_pay(till: Till) -> None:
    save_card(till)
    sql("UPDATE core.accounts SET registered_at = :at WHERE id = :id", at=till.clock.now(), id=owner(till))
    switch_on(till, 422, daily_limit=euros("1000.01"))
    switch_on(till, threshold=euros("900.00"), target=euros("1500.00"), daily_limit=euros("1000.00"))
    work(till)

    assert charges() == [("paid", 100_000)]
    buy(till, "400.00")
    work(till)
    assert len(charges()) == 1 and codes(till)[-1] == "daily_limit"


def test_the_log_is_only_added_to(till: Till) -> None:
    save_card(till)
    switch_on(till)

    with pytest.raises(Exception, match="refused: the books are only added to"):
        sql("DELETE FROM billing.recharge_log")
