"""Paying by card: the same cent in wallet, ledger and at Stripe, once, and nothing where nobody paid."""

import pytest
from sqlalchemy import text

from core.db import transaction
from tests.billing.funding.conftest import ASKS, DECLINED, GOOD, Till


def test_a_card_pays_and_the_same_cent_is_in_wallet_ledger_and_at_stripe(till: Till) -> None:
    asked = till.ask("123.45")
    assert asked["state"] == "open" and asked["checkout_url"].startswith(till.stripe.url)

    assert till.pay(asked["checkout_url"]) == 303
    till.look()

    assert till.wallet().available.minor == 12_345
    assert till.account(1000) == 0, "clearing is back at zero"
    assert till.account(1010) == till.at_stripe() > 0
    assert till.account(1010) + till.account(5100) == 12_345, "what Stripe keeps is its fee"
    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "paid"


def test_a_declined_card_changes_nothing_and_a_good_one_still_pays(till: Till) -> None:
    asked = till.ask()

    assert till.pay(asked["checkout_url"], DECLINED) == 402
    till.look()
    assert till.wallet().available.minor == 0 and till.at_stripe() == 0

    assert till.pay(asked["checkout_url"], GOOD) == 303
    till.look()
    assert till.wallet().available.minor == 10_000


def test_a_card_that_asks_for_authentication_pays_nothing_before_it(till: Till) -> None:
    till.pay(till.ask()["checkout_url"], ASKS)
    till.look()

    assert till.wallet().available.minor == 0


def test_a_payment_page_that_is_sent_twice_pays_once(till: Till) -> None:
    url = till.ask()["checkout_url"]

    assert till.pay(url) == 303
    assert till.pay(url) >= 400
    till.look()
    till.look()

    assert till.wallet().available.minor == 10_000 and till.count("transactions") == 2


def test_a_page_that_expired_is_not_paid_and_its_top_up_says_so(till: Till) -> None:
    asked = till.ask()
    till.stripe.advance(25 * 3600)

    assert till.pay(asked["checkout_url"]) >= 400
    till.look()

    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "expired"
    assert till.wallet().available.minor == 0


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("0", "EUR", "amount_out_of_range"), ("-5", "EUR", "amount_out_of_range"),
        ("0.99", "EUR", "amount_out_of_range"), ("50000.01", "EUR", "amount_out_of_range"),
        ("10.001", "EUR", "too_many_decimals"), ("10", "XXX", "unknown_currency"), ("10", "VND", "currency_not_taken"),
    ],
)  # fmt: skip
def test_what_cannot_be_paid_is_refused_at_its_field_and_nothing_is_asked(
    till: Till, amount: str, currency: str, code: str
) -> None:
    refused = till.ask(amount, currency, 422)

    assert [fault["code"] for fault in refused["errors"]] == [code]
    assert till.count("top_ups") == 0 == till.count("card_calls")


@pytest.mark.parametrize("amount", ["1e9", "", "ten", "١٠"])
def test_what_is_no_amount_is_malformed(till: Till, amount: str) -> None:
    till.ask(amount, status=400)

    assert till.count("top_ups") == 0


def test_the_same_idempotency_key_opens_one_page(till: Till) -> None:
    first, second = (till.ask(Idempotency_Key="once") for _ in range(2))

    assert first == second and till.count("top_ups") == 1


def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(till: Till) -> None:
    till.stripe.fault("drop", path="/v1/checkout/sessions", times=1)
    assert till.ask(status=503)["code"] == "cards_away"

    with transaction() as session:
        session.execute(text("UPDATE billing.card_calls SET next_attempt_at = now()"))
    till.look()

    with transaction() as session:
        rows = session.execute(text("SELECT state, session_id FROM billing.top_ups")).all()
    assert [row.state for row in rows] == ["open"], "the page that the lost answer told of"


def test_a_newcomer_pays_at_least_a_hundred_and_at_most_a_thousand_a_day(till: Till) -> None:
    with transaction() as session:
        session.execute(text("UPDATE core.accounts SET registered_at = now()"))

    assert till.ask("99.99", status=422)["errors"][0]["code"] == "amount_out_of_range"
    assert till.ask("1000.01", status=422)["errors"][0]["code"] == "new_card_limit"
    till.ask("600.00")
    assert till.ask("400.01", status=422)["errors"][0]["code"] == "new_card_limit", "an open page counts"
    till.ask("400.00")


def test_a_payment_of_another_amount_is_set_aside_and_never_lost(till: Till) -> None:
    asked = till.ask("100.00")
    till.pay(asked["checkout_url"])
    with transaction() as session:
        session.execute(text("UPDATE billing.top_ups SET amount_minor = 9000"))
    till.look()

    assert till.wallet().available.minor == 0 and till.account(2900) == -10_000
    assert till.buyer.get(f"/wallet/top-ups/{asked['id']}")["state"] == "set_aside"


def test_somebody_elses_top_up_is_not_found(till: Till) -> None:
    asked = till.ask()

    answer = till.market.make_buyer().request("GET", f"/wallet/top-ups/{asked['id']}")
    assert answer.status_code == 404
