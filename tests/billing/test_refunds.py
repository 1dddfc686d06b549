"""What a hold captured goes back, from the earner's reserve, his payable money or his debt; once, and never too much."""

from datetime import timedelta

import pytest

from billing import charge_fee, net_owed, refund_capture, return_fee, wallet_of
from core.db import transaction
from core.errors import Conflict, Invalid
from core.ids import new_id
from core.money import Money
from tests.billing.conftest import NOON, Books

LATER = NOON + timedelta(days=45)


@pytest.fixture
def captured(books: Books):
    """A hold of 40.00 captured with a share of 28.00, 2.80 of it in reserve for 45 days."""
    account, earner = new_id(), new_id()
    books.credit(account, 4_000)
    hold = books.hold(account, 4_000)
    assert books.resolve(hold, 4_000, earner, 2_800, 280, until=LATER) == "resolved"
    return account, earner, hold


def test_a_refund_takes_the_holds_own_reserve_first_and_then_what_is_payable(books, captured):
    account, earner, hold = captured
    assert books.refund(hold, 4_000, 2_800) == "committed"
    assert books.wallet(account) == (4_000, 0, 0)
    assert books.earner(earner) == (0, 0) and books.owed(earner) == 0
    assert books.mature(LATER) == 0


def test_a_lot_that_matured_before_is_taken_from_what_is_payable(books, captured):
    _, earner, hold = captured
    assert books.mature(LATER) == 1
    assert books.refund(hold, 4_000, 2_800) == "committed"
    assert books.earner(earner) == (0, 0) and books.owed(earner) == 0


def test_a_part_of_a_lot_is_taken_and_the_rest_of_it_is_payable(books, captured):
    _, earner, hold = captured
    assert books.refund(hold, 200, 140) == "committed"
    assert books.earner(earner) == (2_520 + 140, 0)


def test_what_was_paid_out_already_is_owed_and_netted_when_something_becomes_payable(books, captured):
    account, earner, hold = captured
    books.tamper("UPDATE billing.earners SET payable = 0, in_flight = payable")  # as a payout will do
    assert books.refund(hold, 4_000, 2_800) == "committed"
    assert books.earner(earner) == (0, 0) and books.owed(earner) == 2_520
    assert books.net() == 0
    books.resolve(books.hold(account, 1_000), 1_000, earner, 700)
    assert books.net() == 1
    assert books.earner(earner) == (0, 0) and books.owed(earner) == 1_820
    books.resolve(books.hold(account, 3_000), 3_000, earner, 2_100)
    assert (books.net(), books.net()) == (1, 0)
    assert books.earner(earner) == (280, 0) and books.owed(earner) == 0


def test_a_refund_is_made_once_a_key(books, captured):
    account, _, hold = captured
    assert [books.refund(hold, 1_000, 700, "k") for _ in range(3)] == ["committed", "repeated", "repeated"]
    assert books.refund(hold, 1_001, 700, "k") == "conflict"
    assert books.wallet(account) == (1_000, 0, 0)


def test_several_refunds_never_add_up_to_more_than_was_captured_or_shared(books, captured):
    account, _, hold = captured
    assert books.refund(hold, 3_000, 2_100) == "committed"
    assert books.refund(hold, 1_001, 700) == "excess"
    assert books.refund(hold, 900, 701) == "excess"
    assert books.refund(hold, 1_000, 0) == "excess"  # a share of nothing would be left
    assert books.refund(hold, 0, 0) == "excess"
    assert books.refund(hold, 1_000, 700) == "committed"
    assert books.wallet(account) == (4_000, 0, 0)


def test_what_was_never_captured_is_not_refunded(books):
    account = new_id()
    books.credit(account, 4_000)
    hold = books.hold(account, 1_000)
    assert books.refund(hold, 1_000, 0) == "excess"
    books.resolve(hold, 0)
    assert books.refund(hold, 1_000, 0) == "excess"
    assert books.refund(new_id(), 1_000, 0) == "excess"


def test_refunds_in_parts_restore_exactly_the_promotional_credit_that_was_taken(books):
    account, earner = new_id(), new_id()
    books.credit(account, 700)
    books.credit(account, 300, kind="promo")
    hold = books.hold(account, 999)
    books.resolve(hold, 700, earner, 490, 49)
    for _ in range(7):
        assert books.refund(hold, 100, 70) == "committed"
    assert books.wallet(account) == (700, 0, 300)
    assert books.earner(earner) == (0, 0)


def test_at_once_a_hold_is_refunded_no_more_than_it_captured(books, captured):
    account, earner, hold = captured
    answers = books.at_once([lambda own: own.refund(hold, 1_000, 700)] * 8)
    assert sorted(answers) == ["committed"] * 4 + ["excess"] * 4
    assert books.wallet(account) == (4_000, 0, 0) and books.earner(earner) == (0, 0)


def test_at_once_refunds_reserves_and_settlements_of_one_earner_do_not_stop_each_other(books):
    earner, accounts = new_id(), [new_id() for _ in range(2)]
    holds = []
    for number in range(12):
        books.credit(accounts[number % 2], 1_000)
        holds.append(books.hold(accounts[number % 2], 1_000))
    for hold in holds[:8]:
        books.resolve(hold, 1_000, earner, 700, 70)
    steps = [lambda own, hold=hold: own.refund(hold, 1_000, 700) for hold in holds[:8]]
    steps += [lambda own, hold=hold: own.resolve(hold, 1_000, earner, 700, 70) for hold in holds[8:]]
    books.at_once([*steps, lambda own: own.mature(), lambda own: own.net(), lambda own: own.net()])
    books.net()
    assert books.earner(earner)[0] + books.earner(earner)[1] - books.owed(earner) == 4 * 700


def test_the_face_books_refunds_and_names_what_is_too_much(app, books, captured):
    account, earner, hold = captured
    with transaction():
        assert refund_capture(hold, 4_000, 2_800, "r:1", "why", "op", NOON).state == "committed"
        assert refund_capture(hold, 4_000, 2_800, "r:1", "why", "op", NOON).state == "repeated"
    with transaction(), pytest.raises(Conflict, match="key r:1"):
        refund_capture(hold, 1, 1, "r:1", "why", "op", NOON)
    with transaction(), pytest.raises(Conflict, match="More is asked"):
        refund_capture(hold, 1, 1, "r:2", "why", "op", NOON)
    with transaction():
        assert net_owed(10, "op", NOON) == 0
    assert books.wallet(account) == (4_000, 0, 0) and books.earner(earner) == (0, 0)


def test_a_fee_is_charged_once_and_given_back_once(app, books):
    account, five = new_id(), Money(500, "EUR")
    books.credit(account, 700)
    with transaction():
        assert [charge_fee(account, five, "f:1", "why", "op", NOON).state for _ in "ab"] == ["committed", "repeated"]
    with transaction(), pytest.raises(Conflict):
        charge_fee(account, Money(501, "EUR"), "f:1", "why", "op", NOON)
    assert books.wallet(account) == (200, 0, 0)
    with transaction():
        refused = charge_fee(account, five, "f:2", "why", "op", NOON)
        assert (refused.state, refused.code) == ("refused", "funds")
        assert return_fee("f:2", "why", "op", NOON) is False
    with transaction():
        assert return_fee("f:1", "why", "op", NOON) and return_fee("f:1", "why", "op", NOON)
        assert wallet_of(account, "EUR").available == Money(700, "EUR")
    with transaction(), pytest.raises(Invalid):
        charge_fee(account, Money(0, "EUR"), "f:3", "why", "op", NOON)


def test_at_once_a_wallet_pays_no_more_fees_than_it_can(books):
    account = new_id()
    books.credit(account, 1_200)
    query = "SELECT billing.charge_fee(%s, 'EUR', 500, %s, 'why', 'op', %s)"
    answers = books.at_once([lambda own, n=n: own.value(query, account, f"f:{n}", NOON) for n in range(6)])
    assert sorted(answers) == ["committed"] * 2 + ["refused:funds"] * 4
    assert books.wallet(account) == (200, 0, 0)
