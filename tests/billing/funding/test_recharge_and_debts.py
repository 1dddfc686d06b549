"""Wallets that top themselves up while money is sent back or something is owed: no round of fees, one charge a day."""

from datetime import timedelta

import pytest

from billing import CardPage, start_give_back
from billing.funding.due import run_cards
from billing.funding.recharge.cards import end_card_page, keep_card
from billing.funding.recharge.charging import recharge_due
from billing.stripe_gateway import Card, Checkout, Undecided
from core.db import db, transaction
from core.ids import parse_id
from core.money import Money
from marketplace.credit.granting import Line, grant_line
from marketplace.jobs import settle_due
from tests.billing.funding.conftest import Till, at_once, sql
from tests.billing.funding.saved import PROVES, buy, charges, codes, euros, owner, save_card, switch_on, work
from tests.billing.funding.test_recharge import state
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


def test_sending_money_back_switches_it_off_in_one_transaction_and_for_a_day(till: Till) -> None:
    save_card(till)
    switch_on(till)
    work(till)
    order = till.post("/refunds", "250.00")
    assert order["recharge_switched_off"] is True
    assert state(till)["on"] is False and state(till)["version"] == 2
    [newest, *_] = till.buyer.get("/wallet/recharges/EUR/log")["items"]
    assert (newest["code"], newest["says"]) == ("switched_off", "Switched off, as money was sent back to a card.")
    work(till)
    assert len(charges()) == 1

    refused = switch_on(till, 422)
    assert [(fault["field"], fault["code"]) for fault in refused["errors"]] == [("on", "refunded_lately")]
    switch_on(till, on=False, daily_limit=euros("800.00"))
    till.clock.advance(hours=24)
    switch_on(till)
    work(till)
    assert [minor for _, minor in charges()] == [30_000, 25_000]


def test_a_refund_that_is_refused_switches_nothing_off(till: Till) -> None:
    save_card(till)
    switch_on(till)
    work(till)
    assert till.post("/refunds", "300.01", status=422)["code"] == "invalid_refund"
    assert state(till)["on"] is True
    buy(till, "250.00")
    assert till.post("/refunds", "100.00", status=409)["code"] == "funds"
    assert state(till)["on"] is True and codes(till) == ["changed", "charge", "paid"]


def test_a_refund_and_the_booking_of_a_charge_at_once_wait_for_each_other_in_one_order(till: Till) -> None:
    till.paid("90.00")
    save_card(till)
    switch_on(till)
    till.stripe.fault("drop", path="/v1/payment_intents")
    run_cards(till.clock.now())

    def refund() -> None:
        with transaction():
            start_give_back(owner(till), Money(9_000, "EUR"), "x", till.clock.now())

    raised = at_once(till, refund, *[lambda: fetch_and_handle(till)] * 2)
    assert all(isinstance(error, Undecided) for error in raised), raised  # and nobody waited in a circle
    till.look()
    assert charges() == [("paid", 21_000)] and state(till)["on"] is False
    assert till.wallet().available.minor == 21_000


def fetch_and_handle(till: Till) -> None:
    """Book what events tell of, as a round does."""
    run_cards(till.clock.now(), fetches=True)


def test_a_refund_of_a_wallet_that_does_not_fill_itself_says_so(till: Till) -> None:
    till.paid("100.00")
    assert till.post("/refunds", "10.00")["recharge_switched_off"] is False
    assert till.count("recharges") == 0


def test_the_page_of_refunds_tells_it_before_and_after(till: Till) -> None:
    save_card(till)
    switch_on(till)
    work(till)
    visitor = visitor_of(till.market, till.buyer)
    assert "It is switched off when you send money back" in words_of(visitor.open("/buyer/wallet/refund"))
    answer = visitor.send("/buyer/wallet/refund", amount="10.00")
    assert "automatic top-up is switched off" in words_of(visitor.open(answer.headers["Location"]))
    assert "switched off when you send money back" not in words_of(visitor.open("/buyer/wallet/refund"))


def owe(till: Till, price: str = "250.00", leads: int = 3) -> None:
    """Have the wallet draw for some leads, and let the day come on which that is due."""
    with transaction():
        line = Line(Money.parse("1000.00", "EUR"), 7, "for a test", is_above=True)
        grant_line(owner(till), line, "operator:test", till.clock.now())
    till.market.make_order(till.buyer, price)
    publisher = till.market.make_publisher()
    for _ in range(leads):
        assert publisher.post("/leads", till.market.lead())["status"] == "sold"
    till.clock.advance(days=9)
    settle_due(till.clock.now())


def test_what_is_due_is_charged_with_the_target_at_once(till: Till) -> None:
    save_card(till)
    owe(till, leads=2)
    switch_on(till)
    work(till)

    assert charges() == [("paid", 80_000)] and till.wallet().available.minor == 30_000


def test_a_wallet_that_still_owes_is_charged_once_a_day(till: Till) -> None:
    save_card(till)
    owe(till)
    switch_on(till, amount=euros("150.00"), target=None)
    work(till)
    work(till)
    assert charges() == [("paid", 15_000)] and till.wallet().available.minor == 0
    assert state(till)["now"] == "owes" and codes(till)[-1] == "owes"
    visitor = visitor_of(till.market, till.buyer)
    assert "charged again tomorrow" in words_of(visitor.open("/buyer/wallet/recharge"))

    till.clock.advance(days=1)
    work(till)
    assert [minor for _, minor in charges()] == [15_000, 15_000]


def test_what_is_due_passes_no_daily_limit(till: Till) -> None:
    save_card(till)
    owe(till)
    switch_on(till, daily_limit=euros("120.00"))
    work(till)
    work(till)

    assert charges() == [("paid", 12_000)]


def test_what_is_drawn_and_not_due_is_no_debt_to_wait_for(till: Till) -> None:
    save_card(till)
    owe(till, leads=1)
    till.credit("250.00")
    buy(till, "90.00")
    switch_on(till)
    work(till)
    buy(till, "250.00")
    work(till)

    assert len(charges()) == 2 and state(till)["now"] != "owes"


def test_the_card_of_another_accounts_customer_is_not_kept(till: Till) -> None:
    save_card(till)
    [mine] = sql("SELECT customer_id, method_id FROM billing.saved_cards")
    other = till.market.make_buyer("0")
    page = other.post("/wallet/card-pages", {})
    for card in (Card("pm_new", mine.customer_id, "visa", "4242", 12, 2034),
                 Card(mine.method_id, "cus_new", "visa", "4242", 12, 2034)):  # fmt: skip
        with transaction():
            assert keep_card(parse_id("acc", other.id), card, till.clock.now()) is None
    with transaction():
        found = Checkout("cs_x", None, "complete", None, str(parse_id("cpg", page["id"])))
        assert end_card_page(found, Card("pm_new", mine.customer_id, "visa", "4242", 12, 2034), till.clock.now()) == (
            "not_kept"
        )
        row = db.session.get_one(CardPage, parse_id("cpg", page["id"]))
        assert row.state == "refused" and (row.why or "").startswith("other_customer")
    assert other.get("/wallet/cards")["items"] == [] and len(till.buyer.get("/wallet/cards")["items"]) == 1


def test_a_second_customer_of_ones_own_is_kept(till: Till) -> None:
    save_card(till)
    with transaction():
        kept = keep_card(owner(till), Card("pm_new", "cus_second", "visa", "1881", 12, 2034), till.clock.now())
        assert kept is not None


def test_what_a_bank_asks_for_is_paid_in_the_wallets_currency(till: Till) -> None:
    save_card(till, PROVES)
    terms = {name: {"amount": minor, "currency": "USD"}
             for name, minor in (("threshold", "100.00"), ("target", "300.00"), ("daily_limit", "900.00"))}  # fmt: skip
    assert till.buyer.request("PUT", "/wallet/recharges/USD", {"on": True} | terms).status_code == 200
    work(till)
    visitor = visitor_of(till.market, till.buyer)
    page = visitor.open("/buyer/wallet/recharge?currency=USD")
    assert ("Paused until you pay $300.00" in words_of(page) and "$900.00" in words_of(page)) or "900.00" in page.text
    [way] = visitor.read("/buyer/wallet/recharge?currency=USD").xpath("//a[contains(text(), 'Pay')]/@href")
    assert "currency=USD" in way
    answer = visitor.send(way, amount="300.00")
    [pay] = visitor.read(answer.headers["Location"]).xpath("//a[text()='Pay by card']/@href")
    assert till.pay(pay) == 303
    till.look()
    assert [(row.currency, row.amount_minor) for row in sql(
        "SELECT currency, amount_minor FROM billing.top_ups WHERE state = 'paid'")] == [("USD", 30_000)]  # fmt: skip

    assert till.buyer.get("/wallet/recharges/USD")["paused"] is None
    assert "Paused" not in words_of(visitor.open("/buyer/wallet/recharge?currency=USD"))
    assert "Automatic top-up is off." in words_of(visitor.open("/buyer/wallet/recharge"))


@pytest.mark.parametrize("page", ["recharge", "top-up"])
def test_a_page_in_a_currency_that_no_card_pays_is_not_there(till: Till, page: str) -> None:
    assert visitor_of(till.market, till.buyer).open(f"/buyer/wallet/{page}?currency=JPY").status_code == 404


def test_a_charge_ordered_before_money_is_sent_back_is_withdrawn(till: Till) -> None:
    till.paid("50.00")
    save_card(till)
    switch_on(till, target=euros("350.00"))
    recharge_due(till.clock.now() + timedelta(seconds=1))
    till.post("/refunds", "50.00")

    assert charges() == [("refused", 30_000)] and codes(till)[-2:] == ["switched_off", "withdrawn"]
