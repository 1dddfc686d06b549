"""The hosted payment page: paid once, declined, authenticated, expired, and what each leaves."""

import re
import time

import pytest
import stripe

from tests.billing.fake_stripe.conftest import available, charge_of, post, top_up, visit

GOOD, DECLINED, ASKS = "4242424242424242", "4000000000000002", "4000002500003155"


def test_a_test_card_pays_and_leads_back_with_the_session(api, inbox) -> None:
    session = top_up(api, metadata={"wallet": "w1"}, payment_intent_data={"metadata": {"top_up": "t1"}})

    status, location, _ = post(session.url, card_number=GOOD)

    assert (status, location) == (303, f"https://shop.example/paid?s={session.id}")
    charge = charge_of(api, session.id)
    assert (charge.amount, charge.metadata["top_up"]) == (10_000, "t1")
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (175, 9_825)
    assert available(api) == 9_825
    types = inbox.types(4)
    assert types == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]  # fmt: skip
    assert inbox.events[-1].data.object["metadata"].to_dict() == {"wallet": "w1"}


def test_the_page_says_that_it_is_a_test_and_escapes_what_it_shows(api) -> None:
    name = "<script>alert(1)</script>"
    line = {"price_data": {"currency": "eur", "unit_amount": 1234, "product_data": {"name": name}}, "quantity": 2}

    status, _, page = visit("GET", top_up(api, line_items=[line]).url)

    assert status == 200
    assert "Test mode – no real money" in page and "24.68 EUR" in page and GOOD in page
    assert "<script" not in page and "&lt;script&gt;" in page


def test_a_declined_card_changes_nothing_but_the_record_of_the_try(api) -> None:
    session = top_up(api)

    status, _, page = post(session.url, card_number=DECLINED)

    assert status == 402 and "Your card was declined." in page
    assert available(api) == 0
    assert api.v1.checkout.sessions.retrieve(session.id).status == "open"
    (tried,) = api.v1.charges.list().data
    assert (tried.status, tried.failure_code, tried.balance_transaction) == ("failed", "card_declined", None)
    assert post(session.url, card_number=GOOD)[0] == 303


def test_a_number_that_is_no_test_card_is_refused(api) -> None:
    session = top_up(api)

    for number in ("", "4111111111111111", "\N{ARABIC-INDIC DIGIT FOUR}" * 16, "x" * 9000):
        assert post(session.url, card_number=number)[0] == 402
    assert api.v1.charges.list().data == []


@pytest.mark.parametrize(("choice", "status", "money"), [("approve", 303, 9_825), ("fail", 402, 0)])
def test_a_bank_may_ask_for_its_customer(api, choice, status, money) -> None:
    session = top_up(api)

    asked, _, page = post(session.url, card_number=ASKS)
    assert asked == 200 and "Approve" in page and available(api) == 0

    assert post(session.url, authentication=choice)[0] == status
    assert available(api) == money


def test_an_answer_that_nobody_asked_for_pays_nothing(api) -> None:
    session = top_up(api)

    assert post(session.url, authentication="approve")[0] == 409
    assert available(api) == 0


def test_a_page_sent_twice_pays_once(api) -> None:
    session = top_up(api)

    assert [post(session.url, card_number=GOOD)[0] for _ in range(3)] == [303, 409, 409]
    assert available(api) == 9_825
    assert visit("GET", session.url)[0] == 409


def test_nobody_can_pay_after_the_session_expired(fake, api, inbox) -> None:
    session = top_up(api, expires_at=int(time.time()) + 1860)

    fake.advance(1900)

    assert post(session.url, card_number=GOOD)[0] == 410
    assert api.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert available(api) == 0
    assert inbox.types(1) == ["checkout.session.expired"]


def test_a_session_can_be_expired_while_it_is_open(api) -> None:
    session = top_up(api)

    assert api.v1.checkout.sessions.expire(session.id).status == "expired"
    assert post(session.url, card_number=GOOD)[0] == 410
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.checkout.sessions.expire(session.id)


def test_a_card_saved_while_paying_can_be_charged_later(api) -> None:
    customer = api.v1.customers.create({"email": "payer@example.com"})
    session = top_up(api, customer=customer.id, payment_intent_data={"setup_future_usage": "off_session"})
    post(session.url, card_number=ASKS)
    post(session.url, authentication="approve")

    (saved,) = api.v1.customers.payment_methods.list(customer.id, {"type": "card"}).data
    intent = api.v1.payment_intents.create({
        "amount": 500, "currency": "eur", "customer": customer.id, "payment_method": saved.id, "confirm": True,
        "off_session": True,
    })  # fmt: skip
    assert intent.status == "succeeded"


def test_a_card_saved_without_paying_makes_its_customer_where_that_is_asked(api) -> None:
    session = api.v1.checkout.sessions.create({
        "mode": "setup", "customer_creation": "always", "currency": "eur", "success_url": "https://shop.example/saved",
        "metadata": {"page": "p1"},
    })  # fmt: skip
    assert post(session.url, card_number=GOOD)[0] == 303

    done = api.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    card = done.setup_intent.payment_method
    assert (done.status, done.metadata["page"], card.customer) == ("complete", "p1", done.customer)
    intent = api.v1.payment_intents.create({
        "amount": 500, "currency": "eur", "customer": card.customer, "payment_method": card.id, "confirm": True,
        "off_session": True, "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"top_up": "t1"},
    })  # fmt: skip
    assert (intent.status, intent.metadata["top_up"]) == ("succeeded", "t1")
    assert [one.id for one in api.v1.payment_intents.list({"customer": card.customer}).data] == [intent.id]
    assert api.v1.payment_methods.detach(card.id, {}, {"idempotency_key": "once"}).customer is None
    assert api.v1.payment_methods.detach(card.id, {}, {"idempotency_key": "once"}).customer is None


@pytest.mark.parametrize(("number", "status"), [(GOOD, 303), (DECLINED, 402)])
def test_a_card_can_be_saved_without_paying(api, number, status) -> None:
    customer = api.v1.customers.create()
    session = api.v1.checkout.sessions.create({
        "mode": "setup", "customer": customer.id, "currency": "eur",
        "success_url": "https://shop.example/saved",
    })  # fmt: skip

    assert post(session.url, card_number=number)[0] == status
    intent = api.v1.setup_intents.retrieve(session.setup_intent)
    saved = api.v1.payment_methods.list({"customer": customer.id}).data
    assert (intent.status == "succeeded") == (len(saved) == 1) == (status == 303)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"expires_at": 1_000_000}, "expires_at"),
        ({"customer": "cus_nobody"}, "customer"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"line_items": [{"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 49, "product_data": {"name": "x"}}}]}, "line_items"),
        ({"line_items": [{"quantity": 1, "price_data": {"currency": one, "unit_amount": 490, "product_data": {"name": "x"}}} for one in ("eur", "usd")]}, "line_items"),
        ({"line_items": [{"quantity": 1, "price_data": {"currency": "euro", "unit_amount": 490, "product_data": {"name": "x"}}}]}, "line_items[0][price_data][currency]"),
        ({"line_items": [{"quantity": 1, "price_data": {"currency": "eur", "unit_amount": -490, "product_data": {"name": "x"}}}]}, "line_items"),
    ],
)  # fmt: skip
def test_a_session_that_makes_no_sense_is_refused(api, more, param) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        top_up(api, **more)
    assert refused.value.param == param


def test_a_page_names_what_it_may_load_and_needs_no_script(fake, api) -> None:
    page = visit("GET", top_up(api).url)[2]

    assert not re.search(r"<script|<style|style=|onclick", page)
    assert visit("GET", f"{fake.url}/pay/cs_test_nothing")[0] == 404
