"""Payments without a page, refunds and disputes: each moves the balance by exactly its balance transactions."""

import pytest
import stripe

from tests.billing.fake_stripe.conftest import available, paid, post, top_up


def charge_off_session(api, method: str, amount: int = 5_000, **options):
    customer = api.v1.customers.create().id
    return api.v1.payment_intents.create({
        "amount": amount, "currency": "eur", "customer": customer, "payment_method": method, "confirm": True,
        "off_session": True, "expand": ["latest_charge.balance_transaction"],
    }, options or None)  # fmt: skip


def test_a_saved_card_is_charged_off_session(api) -> None:
    intent = charge_off_session(api, "pm_card_visa")

    assert (intent.status, intent.latest_charge.balance_transaction.net) == ("succeeded", 4_900)


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_authenticationRequiredOnSetup", "authentication_required", "authentication_required"),
    ],
)
def test_a_decline_says_why_and_keeps_the_try(api, method, code, decline_code) -> None:
    with pytest.raises(stripe.CardError) as refused:
        charge_off_session(api, method)

    error = refused.value
    assert (error.http_status, error.code, error.error.decline_code) == (402, code, decline_code)
    intent = api.v1.payment_intents.retrieve(error.error.payment_intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.latest_charge.status) == ("requires_payment_method", "failed")
    assert intent.last_payment_error.decline_code == decline_code
    assert available(api) == 0


def test_a_bank_that_asks_on_session_is_answered_on_a_page(api) -> None:
    customer = api.v1.customers.create().id
    intent = api.v1.payment_intents.create({
        "amount": 700, "currency": "eur", "customer": customer, "payment_method": "pm_card_authenticationRequired",
        "confirm": True, "return_url": "https://shop.example/back",
    })  # fmt: skip

    assert (intent.status, available(api)) == ("requires_action", 0)
    assert post(intent.next_action.redirect_to_url.url, authentication="approve")[:2] == (
        303,
        "https://shop.example/back",
    )
    assert api.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert post(intent.next_action.redirect_to_url.url, authentication="approve")[0] == 404


def test_an_intent_that_was_given_up_cannot_be_confirmed(api) -> None:
    intent = api.v1.payment_intents.create({"amount": 700, "currency": "eur"})

    assert api.v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_card_is_attached_listed_and_detached(api) -> None:
    customer = api.v1.customers.create().id
    method = api.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})

    assert [one.id for one in api.v1.payment_methods.list({"customer": customer, "type": "card"}).data] == [method.id]
    assert api.v1.payment_methods.detach(method.id).customer is None
    assert api.v1.customers.payment_methods.list(customer).data == []
    with pytest.raises(stripe.InvalidRequestError):
        charge_off_session(api, method.id)


def test_a_card_of_one_customer_serves_no_other(api) -> None:
    owner, other = (api.v1.customers.create().id for _ in range(2))
    method = api.v1.payment_methods.attach("pm_card_visa", {"customer": owner}).id

    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payment_methods.attach(method, {"customer": other})
    with pytest.raises(stripe.InvalidRequestError):
        charge_off_session(api, method)
    assert available(api) == 0


def test_a_card_that_its_bank_refuses_cannot_be_attached(api) -> None:
    customer = api.v1.customers.create().id
    with pytest.raises(stripe.CardError):
        api.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer})


def test_a_refund_takes_back_no_more_than_was_paid(api) -> None:
    charge = paid(api)

    part = api.v1.refunds.create({"charge": charge.id, "amount": 4_000}, None)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.refunds.create({"charge": charge.id, "amount": 6_001})
    rest = api.v1.refunds.create({"payment_intent": charge.payment_intent})
    with pytest.raises(stripe.InvalidRequestError) as again:
        api.v1.refunds.create({"charge": charge.id})

    assert (part.amount, rest.amount, refused.value.param, again.value.code) == (4_000, 6_000, "amount", "charge_already_refunded")  # fmt: skip
    assert available(api) == 9_825 - 10_000
    assert api.v1.charges.retrieve(charge.id).refunded
    assert len(api.v1.refunds.list({"charge": charge.id}).data) == 2


def test_a_refund_may_fail_later_and_its_money_is_back(fake, api, inbox) -> None:
    charge = paid(api)
    fake.fault("refund_fails", seconds=3600)
    refund = api.v1.refunds.create({"charge": charge.id, "amount": 4_000})
    assert (refund.status, available(api)) == ("succeeded", 5_825)

    fake.advance(3601)

    failed = api.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_balance_transaction.type) == ("failed", "refund_failure")
    assert available(api) == 9_825
    assert api.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert "refund.failed" in inbox.types(9)


def test_a_dispute_is_opened_withdrawn_and_won(fake, api, inbox) -> None:
    charge = paid(api)

    dispute = fake.open_dispute(charge.id, reason="product_not_received")
    with pytest.raises(ValueError, match="already disputed"):
        fake.open_dispute(charge.id)
    assert available(api) == 9_825 - 10_000 - 1_500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.refunds.create({"charge": charge.id})
    fake.win_dispute(dispute["id"])

    found = api.v1.disputes.retrieve(dispute["id"])
    assert (refused.value.code, found.status, len(found.balance_transactions)) == ("charge_disputed", "won", 2)
    assert available(api) == 9_825 - 1_500
    assert [name for name in inbox.types(9) if "dispute" in name] == [
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]  # fmt: skip


def test_a_lost_dispute_stays_lost(fake, api) -> None:
    dispute = fake.open_dispute(paid(api).id, amount=2_500)

    fake.lose_dispute(dispute["id"])

    assert api.v1.disputes.list().data[0].status == "lost"
    assert available(api) == 9_825 - 2_500 - 1_500
    with pytest.raises(ValueError, match="already closed"):
        fake.win_dispute(dispute["id"])


@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost"), ("a letter", "under_review")])  # fmt: skip
def test_the_card_that_is_always_disputed_is_decided_by_evidence(api, evidence, status) -> None:
    assert post(top_up(api).url, card_number="4000000000000259")[0] == 303
    (dispute,) = api.v1.disputes.list().data

    found = api.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True})

    assert found.status == status
    if status == "under_review":
        assert api.v1.disputes.close(dispute.id).status == "lost"


def test_money_may_have_to_wait_for_its_day(fake, api) -> None:
    fake.fault("funds_pending", seconds=86_400)
    charge = paid(api)

    balance = api.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 9_825)
    assert charge.balance_transaction.status == "pending"

    fake.advance(86_401)
    assert available(api) == 9_825
    assert api.v1.balance_transactions.retrieve(charge.balance_transaction.id).status == "available"


def test_a_list_is_walked_in_pages_both_ways(api) -> None:
    made = [api.v1.customers.create({"name": str(number)}).id for number in range(7)]

    first = api.v1.customers.list({"limit": 3})
    second = api.v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    back = api.v1.customers.list({"limit": 2, "ending_before": second.data[-1].id})

    assert [one.id for one in first.data] + [one.id for one in second.data] == made[:0:-1]
    assert (first.has_more, second.has_more, back.has_more) == (True, True, True)
    assert [one.id for one in back.data] == [second.data[0].id, second.data[1].id]
    assert [one.id for one in first.auto_paging_iter()] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.customers.list({"starting_after": "cus_nobody"})
    assert (refused.value.code, refused.value.param) == ("resource_missing", "starting_after")
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.customers.list({"limit": 101})


def test_events_and_balance_transactions_are_filtered(api) -> None:
    charge = paid(api)
    api.v1.refunds.create({"charge": charge.id, "amount": 100})

    entries = api.v1.balance_transactions
    assert [one.type for one in entries.list({"expand": ["data.source"]}).data] == ["refund", "charge"]
    assert [one.source for one in entries.list({"type": "charge"}).data] == [charge.id]
    assert len(entries.list({"source": charge.id, "created": {"gte": charge.created}}).data) == 1
    assert entries.list({"created": {"lt": charge.created - 5}}).data == []
    assert {one.type for one in api.v1.events.list({"type": "charge.*"}).data} == {
        "charge.succeeded",
        "charge.refunded",
    }
    assert len(api.v1.events.list({"types": ["refund.created", "charge.refunded"]}).data) == 2
    oldest = api.v1.events.list({"limit": 100}).data[-1]
    assert len(api.v1.events.list({"ending_before": oldest.id, "limit": 100}).data) == 5
