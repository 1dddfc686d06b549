"""Faults to order: each strikes as often as it was told to, and the real client sees what it would see of Stripe."""

import pytest
import stripe

from tests.billing.fake_stripe.conftest import available, paid, post, top_up
from tests.billing.fake_stripe.referee import client


def test_an_answer_is_dropped_after_its_effect(fake, api) -> None:
    charge = paid(api)
    fake.fault("drop", method="POST", path="/v1/refunds")
    refund = {"charge": charge.id, "amount": 100}

    with pytest.raises(stripe.APIConnectionError):
        api.v1.refunds.create(refund, {"idempotency_key": "k"})
    assert available(api) == 9_725

    again = api.v1.refunds.create(refund, {"idempotency_key": "k"})
    assert (again.amount, available(api)) == (100, 9_725)


@pytest.mark.parametrize(("kind", "error"), [("429", stripe.RateLimitError), ("500", stripe.APIError)])
def test_a_request_is_refused_before_anything_is_done(fake, api, kind, error) -> None:
    charge = paid(api)
    fake.fault(kind, path="/v1/refunds*", times=2)

    for _ in range(2):
        with pytest.raises(error):
            api.v1.refunds.create({"charge": charge.id, "amount": 100}, {"idempotency_key": "k"})
    assert available(api) == 9_825
    api.v1.refunds.create({"charge": charge.id, "amount": 100}, {"idempotency_key": "k"})
    assert available(api) == 9_725


def test_an_error_comes_after_the_effect(fake, api) -> None:
    charge = paid(api)
    fake.fault("500_after", path="/v1/refunds")

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            api.v1.refunds.create({"charge": charge.id, "amount": 100}, {"idempotency_key": "k"})
    assert available(api) == 9_725


def test_a_slow_answer_runs_into_the_clients_patience(fake) -> None:
    hasty = stripe.StripeClient(
        fake.keys.secret_key, base_addresses={"api": fake.url}, max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=0.2),
    )  # fmt: skip
    fake.fault("delay", seconds=1)

    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.balance.retrieve()
    hasty.v1.balance.retrieve()


def test_the_client_gets_through_by_itself_where_it_may_try_again(fake) -> None:
    patient = stripe.StripeClient(fake.keys.secret_key, base_addresses={"api": fake.url}, max_network_retries=2)
    fake.fault("drop", path="/v1/customers")

    made = patient.v1.customers.create({"name": "once"})

    assert [one.id for one in patient.v1.customers.list().data] == [made.id]


def test_a_dropped_page_was_paid_all_the_same(fake, api) -> None:
    session = top_up(api)
    fake.fault("drop", path="/pay/*")

    with pytest.raises(OSError):
        post(session.url, card_number="4242424242424242")
    assert (post(session.url, card_number="4242424242424242")[0], available(api)) == (409, 9_825)


def test_faults_match_methods_and_paths_and_can_be_forgotten(fake, api) -> None:
    fake.fault("500", method="POST", path="/v1/cust*", times=0)

    api.v1.customers.list()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            api.v1.customers.create()
    assert fake.control("GET", "faults")["faults"][0]["kind"] == "500"
    fake.clear_faults()
    api.v1.customers.create()


@pytest.mark.parametrize(
    "fault", [{"kind": "earthquake"}, {"kind": "drop", "tmes": 2}, {"kind": "drop", "times": "2"}, {}]
)
def test_a_fault_that_nobody_knows_is_refused(fake, fault) -> None:
    with pytest.raises(ValueError, match="error"):
        fake.control("POST", "faults", **fault)


def test_controls_need_the_key(fake) -> None:
    assert client(fake.url, "sk_test_wrong").v1 is not None
    stranger = type(fake)(fake.url, type(fake.keys)("sk_test_wrong_wrong_wrong", ""))
    with pytest.raises(ValueError, match="Invalid API Key"):
        stranger.balances()


def test_a_wrong_key_is_refused_as_stripe_does(fake) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided: sk_test_"):
        client(fake.url, "sk_test_wrong_wrong_wrong").v1.balance.retrieve()


@pytest.mark.parametrize(
    ("method", "path", "params", "code", "param"),
    [
        ("post", "/v1/refunds", {"chrge": "ch_1"}, "parameter_unknown", "chrge"),
        ("post", "/v1/payment_intents", {"amount": 5}, "parameter_missing", "currency"),
        ("post", "/v1/payment_intents", {"amount": "1e9", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ("post", "/v1/payment_intents", {"amount": 0, "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ("post", "/v1/customers", {"metadata" + "[a]" * 3000: "x"}, "parameter_invalid_object", "metadata"),
        ("post", "/v1/payment_intents", {"amount": 49, "currency": "eur"}, "amount_too_small", "amount"),
        ("post", "/v1/customers", {"metadata": {"x" * 41: "y"}}, "parameter_invalid_string", f"metadata[{'x' * 41}]"),
        ("post", "/v1/payment_intents", {"amount": 10**9, "currency": "eur"}, "amount_too_large", "amount"),
        ("get", "/v1/charges/ch_none", {}, "resource_missing", "id"),
        ("get", "/v1/charges", {"expand": ["data.shoe_size"]}, None, None),
        ("get", "/v1/shoes", {}, None, None),
    ],
)
def test_errors_are_said_as_stripe_says_them(fake, api, method, path, params, code, param) -> None:
    plain = stripe.StripeClient(fake.keys.secret_key, base_addresses={"api": fake.url}, max_network_retries=0)
    if "expand" in params:
        paid(api)
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            plain.v1.charges.list(params)
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        plain.raw_request(method, path, **params)
        raise AssertionError(path)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert refused.value.request_id.startswith("req_")
