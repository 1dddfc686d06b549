"""Connect: accounts become payable on a page; transfers, reversals and payouts move only what is at hand."""

from typing import Any

import pytest
import stripe

from tests.billing.fake_stripe.conftest import available, paid, post, visit


def onboarded(api) -> Any:
    account = api.v1.accounts.create(
        {"type": "express", "country": "DE", "capabilities": {"transfers": {"requested": True}}}
    )
    assert post(onboarding(api, account.id), onboarding="complete")[:2] == (303, "https://shop.example/back")
    return account.id


def onboarding(api, account: str) -> Any:
    return api.v1.account_links.create({
        "account": account, "type": "account_onboarding", "return_url": "https://shop.example/back",
        "refresh_url": "https://shop.example/again",
    }).url  # fmt: skip


def send(api, account: str, amount: int, **more):
    return api.v1.transfers.create({"amount": amount, "currency": "eur", "destination": account, **more})


def theirs(fake, account: str) -> Any:
    return fake.balances()[account].get("eur", {"available": 0})["available"]


def test_an_account_is_payable_once_it_said_who_it_is(api, inbox) -> None:
    account = api.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    assert (account.capabilities.transfers, account.payouts_enabled) == ("inactive", False)
    assert account.requirements.currently_due

    url = onboarding(api, account.id)
    assert visit("GET", url)[0] == 200
    assert post(url, onboarding="complete")[0] == 303

    found = api.v1.accounts.retrieve(account.id)
    assert (found.capabilities.transfers, found.payouts_enabled) == ("active", True)
    assert found.requirements.currently_due == []
    assert inbox.types(1) == ["account.updated"] and inbox.events[0].account == account.id
    assert visit("GET", url)[0] == 404


def test_onboarding_can_be_left_for_later_and_its_address_ends(fake, api) -> None:
    account = api.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}}).id

    assert post(onboarding(api, account), onboarding="later")[0] == 303
    assert api.v1.accounts.retrieve(account).capabilities.transfers == "inactive"
    url = onboarding(api, account)
    fake.advance(301)
    assert post(url, onboarding="complete")[0] == 410
    assert api.v1.accounts.retrieve(account).capabilities.transfers == "inactive"


def test_a_transfer_moves_money_from_here_to_there(fake, api) -> None:
    paid(api)
    account = onboarded(api)

    transfer = send(api, account, 5_000, transfer_group="run_7", metadata={"payout": "1"})

    assert (available(api), theirs(fake, account)) == (4_825, 5_000)
    assert [one.id for one in api.v1.transfers.list({"transfer_group": "run_7"}).data] == [transfer.id]
    own = api.v1.balance_transactions.list({"source": transfer.id}).data
    assert [(one.type, one.net) for one in own] == [("transfer", -5_000)]
    there = api.v1.charges.retrieve(transfer.destination_payment, None, {"stripe_account": account})
    assert there.source_transfer == transfer.id


def test_a_transfer_needs_money_at_hand_and_an_account_that_may_have_it(fake, api) -> None:
    fake.fault("funds_pending")
    paid(api)
    account = onboarded(api)
    stranger = api.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}}).id

    for destination, code in ((account, "balance_insufficient"), (stranger, "insufficient_capabilities_for_transfer"), ("acct_none", "resource_missing")):  # fmt: skip
        with pytest.raises(stripe.InvalidRequestError) as refused:
            send(api, destination, 1_000)
        assert refused.value.code == code
    assert theirs(fake, account) == 0


def test_a_transfer_may_draw_on_a_payment_whose_day_is_to_come(fake, api) -> None:
    fake.fault("funds_pending", seconds=1000)
    charge = paid(api)
    account = onboarded(api)

    assert send(api, account, 9_000, source_transaction=charge.id).source_transaction == charge.id
    with pytest.raises(stripe.InvalidRequestError):
        send(api, account, 1_001, source_transaction=charge.id)
    assert theirs(fake, account) == 0
    fake.advance(1001)
    assert (available(api), theirs(fake, account)) == (825, 9_000)


def test_a_reversal_brings_back_no_more_than_was_sent(fake, api) -> None:
    paid(api)
    account = onboarded(api)
    transfer = send(api, account, 5_000)
    send(api, account, 100)

    api.v1.transfers.reversals.create(transfer.id, {"amount": 2_000})
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.transfers.reversals.create(transfer.id, {"amount": 3_001})
    api.v1.transfers.reversals.create(transfer.id)

    found = api.v1.transfers.retrieve(transfer.id)
    assert (found.reversed, found.amount_reversed, len(found.reversals.data)) == (True, 5_000, 2)
    assert (available(api), theirs(fake, account)) == (9_725, 100)
    assert len(api.v1.transfers.reversals.list(transfer.id).data) == 2


def test_a_payout_arrives(api, inbox) -> None:
    paid(api)
    payout = api.v1.payouts.create({"amount": 9_000, "currency": "eur"})

    assert (payout.status, available(api)) == ("pending", 825)
    assert api.v1.payouts.retrieve(payout.id).status == "paid"
    assert [one.type for one in api.v1.balance_transactions.list({"payout": payout.id}).data] == ["payout"]
    assert inbox.types(6)[-2:] == ["payout.created", "payout.paid"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.payouts.create({"amount": 826, "currency": "eur"})
    assert refused.value.code == "balance_insufficient"


def test_a_payout_shown_as_paid_may_still_fail(fake, api, inbox) -> None:
    paid(api)
    fake.fault("payout_fails", seconds=86_400)
    payout = api.v1.payouts.create({"amount": 9_000, "currency": "eur"})
    assert api.v1.payouts.retrieve(payout.id).status == "paid"

    fake.advance(86_401)

    failed = api.v1.payouts.retrieve(payout.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_balance_transaction.type) == ("failed", "payout_failure")
    assert available(api) == 9_825
    assert inbox.types(7)[-1] == "payout.failed"


def test_an_account_that_has_yet_to_say_who_it_is_is_not_paid_out(api) -> None:
    account = api.v1.accounts.create({"type": "express"}).id

    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.payouts.create({"amount": 100, "currency": "eur"}, {"stripe_account": account})
    assert refused.value.code == "payouts_not_allowed"


def test_a_reversal_needs_what_the_account_still_has(api) -> None:
    paid(api)
    account = onboarded(api)
    transfer = send(api, account, 5_000)
    api.v1.payouts.create({"amount": 4_000, "currency": "eur"}, {"stripe_account": account})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.transfers.reversals.create(transfer.id, {"amount": 1_001})
    assert refused.value.code == "balance_insufficient"


def test_a_connected_account_is_paid_out_in_its_own_name(fake, api) -> None:
    paid(api)
    account = onboarded(api)
    send(api, account, 5_000)

    payout = api.v1.payouts.create({"amount": 4_000, "currency": "eur"}, {"stripe_account": account})

    assert theirs(fake, account) == 1_000
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payouts.retrieve(payout.id)
    assert api.v1.payouts.list(None, {"stripe_account": account}).data[0].status == "paid"
    with pytest.raises(stripe.PermissionError):
        api.v1.balance.retrieve(None, {"stripe_account": "acct_none"})
