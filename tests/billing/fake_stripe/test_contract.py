"""What the exchange relies on, asked of the fake, and of Stripe's own test mode where STRIPE_TEST_KEY is set."""

import os
import uuid
from typing import Any

import pytest
import stripe

from tests.billing.fake_stripe.referee import client

KEY = os.environ.get("STRIPE_TEST_KEY", "")
NO_KEY = pytest.mark.skipif(
    not KEY, reason="STRIPE_TEST_KEY is not set: the fake was NOT compared with Stripe's test mode"
)


@pytest.fixture(params=["fake", pytest.param("stripe", marks=NO_KEY)])
def both(request) -> Any:
    """Return a client of the fake, and one of Stripe's test mode; never one of a live account."""
    if request.param == "stripe":
        assert KEY.startswith(("sk_test_", "rk_test_")), "STRIPE_TEST_KEY is not a key of the test mode"
        return stripe.StripeClient(KEY)
    fake = request.getfixturevalue("fake")
    return client(fake.url, fake.keys.secret_key)


def intent_of(both, method: str, **more: Any) -> Any:
    customer = both.v1.customers.create({"name": "contract"}).id
    params = {"amount": 5_000, "currency": "eur", "customer": customer, "payment_method": method, "confirm": True, "off_session": True}  # fmt: skip
    return both.v1.payment_intents.create({**params, **more})


def test_a_payment_leaves_a_charge_and_a_balance_transaction(both) -> None:
    intent = intent_of(both, "pm_card_visa", expand=["latest_charge.balance_transaction"])

    charge, entry = intent.latest_charge, intent.latest_charge.balance_transaction
    assert (intent.status, intent.amount_received, charge.paid, charge.amount) == ("succeeded", 5_000, True, 5_000)
    assert (entry.type, entry.source, entry.net) == ("charge", charge.id, entry.amount - entry.fee)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_decline_is_a_card_error_with_its_intent(both, method, code) -> None:
    with pytest.raises(stripe.CardError) as refused:
        intent_of(both, method)

    assert (refused.value.http_status, refused.value.code) == (402, code)
    assert refused.value.error.payment_intent.status == "requires_payment_method"
    assert refused.value.error.decline_code


def test_a_refund_is_limited_and_its_key_repeats_it(both) -> None:
    charge, key = intent_of(both, "pm_card_visa").latest_charge, uuid.uuid4().hex
    params = {"charge": charge, "amount": 2_000}

    first = both.v1.refunds.create(params, {"idempotency_key": key})
    assert both.v1.refunds.create(params, {"idempotency_key": key}).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        both.v1.refunds.create({**params, "amount": 1_000}, {"idempotency_key": key})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        both.v1.refunds.create({"charge": charge, "amount": 3_001})
    assert refused.value.param == "amount"
    assert [one.amount for one in both.v1.refunds.list({"charge": charge}).data] == [2_000]
    entry = both.v1.balance_transactions.retrieve(first.balance_transaction)
    assert (entry.type, entry.amount, entry.fee) == ("refund", -2_000, 0)


def test_a_charge_is_refunded_once(both) -> None:
    charge = intent_of(both, "pm_card_visa").latest_charge
    both.v1.refunds.create({"charge": charge})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        both.v1.refunds.create({"charge": charge})
    assert refused.value.code == "charge_already_refunded"


def test_a_session_has_a_page_until_it_is_expired(both) -> None:
    line = {"price_data": {"currency": "eur", "unit_amount": 5_000, "product_data": {"name": "Top-up"}}, "quantity": 1}
    session = both.v1.checkout.sessions.create({
        "mode": "payment", "line_items": [line], "success_url": "https://shop.example/{CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/no", "metadata": {"wallet": "w"},
    })  # fmt: skip

    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency) == (5_000, "eur")
    assert session.url.startswith("http") and "{" not in session.url
    assert both.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        both.v1.checkout.sessions.expire(session.id)


def test_a_card_belongs_to_its_customer(both) -> None:
    customer = both.v1.customers.create().id
    method = both.v1.payment_methods.attach("pm_card_visa", {"customer": customer})

    assert [one.id for one in both.v1.customers.payment_methods.list(customer).data] == [method.id]
    assert method.card.last4 == "4242"
    assert both.v1.payment_methods.detach(method.id).customer is None
    with pytest.raises(stripe.CardError):
        both.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer})


def test_what_happened_is_in_the_list_of_events(both) -> None:
    customer = both.v1.customers.create({"name": "contract"}).id

    found = both.v1.events.list({"type": "customer.created", "limit": 10}).data
    assert customer in [event.data.object["id"] for event in found]


def test_nothing_is_sent_that_is_not_at_hand(both) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        both.v1.payouts.create({"amount": 99_999_999, "currency": "eur"})
    assert refused.value.code == "balance_insufficient"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": 100, "currency": "eur", "shoe": 1}, "parameter_unknown", "shoe"),
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": 100, "currency": "eur", "customer": "cus_nobody"}, "resource_missing", "customer"),
    ],
)
def test_a_wrong_parameter_is_named(both, request, params, code, param) -> None:
    plain = both
    if not isinstance(both, stripe.StripeClient):  # the referee would not let the request leave
        fake = request.getfixturevalue("fake")
        plain = client(fake.url, fake.keys.secret_key, checks_requests=False)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        plain.raw_request("post", "/v1/payment_intents", **params)
    assert (refused.value.code, refused.value.param) == (code, param)
