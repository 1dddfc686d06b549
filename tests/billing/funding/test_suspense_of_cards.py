"""What cards put into suspense is cleared up as what a bank statement does: assigned, or set against what went back."""

from datetime import UTC, datetime

from billing import reconcile, suspended
from billing.funding.top_ups import settle_payment
from billing.stripe_gateway import Payment
from core.db import transaction
from core.ids import show_id
from core.money import Money
from marketplace.bank_moves import do_with_suspense, settle, wish_of
from tests.billing.funding.conftest import Till, sql
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


def set_aside(till: Till) -> None:
    """Have 100.00 paid by card where 90.00 were asked for."""
    till.pay(till.ask("100.00")["checkout_url"])
    sql("UPDATE billing.top_ups SET amount_minor = 9000")
    till.look()


def test_a_payment_that_was_set_aside_is_assigned_and_no_longer_unexplained(till: Till) -> None:
    set_aside(till)
    with transaction():
        [item] = suspended()
        assert (item.reason, item.left_minor) == ("set_aside", 10_000) and len(reconcile().unexplained) == 1
        do_with_suspense(wish_of(item.id, "assign", "", till.buyer.id, "it is hers"), "user:op", till.clock.now())

    assert till.wallet().available.minor == 10_000 and till.account(2900) == 0
    with transaction():
        assert suspended() == [] and reconcile().unexplained == ()
        assert reconcile().by_age(datetime.now(UTC)) == {}


def test_a_payment_that_went_back_is_set_against_its_own_movement(till: Till) -> None:
    set_aside(till)
    [(charge,)] = sql("SELECT source_id FROM billing.balance_transactions WHERE booked_as = 'card_payment'")
    till.stripe.lose_dispute(till.stripe.open_dispute(charge)["id"])
    till.look()
    with transaction():
        credit, debit = suspended()
        assert (credit.left_minor, debit.left_minor) == (10_000, -10_000)
        owed = do_with_suspense(wish_of(credit.id, "return", "", "", "charged back"), "user:op", till.clock.now())
        settle(owed.id, debit.id, "its own chargeback", "user:op", till.clock.now())

    with transaction():
        assert suspended() == [] and reconcile().unexplained == ()
    assert till.account(2900) == 0 and till.wallet().available.minor == 0


def test_an_amount_in_a_currency_that_is_not_traded_is_shown_and_moved_whole(till: Till) -> None:
    till.ask()
    [(top_up_id,)] = sql("SELECT id FROM billing.top_ups")
    with transaction():
        settle_payment(Payment("pi_other", True, Money(10_000, "AED"), None, str(top_up_id)), till.clock.now())
        [item] = suspended()
    operator = visitor_of(till.market, till.market.make_operator())
    page = f"/operator/suspense/{show_id('txn', item.id)}"
    for path in ("/operator/bank", "/operator/suspense", page):
        assert "10000 AED" in words_of(operator.open(path)), path

    bad = operator.send(page, kind="assign", amount="1", account=till.buyer.id, reason="x")
    assert 'id="kind-fault"' in bad.text and 'id="amount-fault"' in bad.text
    assert operator.send(page, kind="fx", amount="", account="", reason="no other way").status_code == 303
    with transaction():
        assert suspended() == []
