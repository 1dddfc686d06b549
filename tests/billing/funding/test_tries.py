"""Cards that are declined: counted whatever becomes of settings, cards and wallets; mails and pages are few a day."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from billing.funding.recharge.saving import start_card_page
from billing.funding.top_ups import Ways
from core.errors import TooMany
from tests.billing.funding.conftest import GOOD, Till, at_once, sql
from tests.billing.funding.saved import LATER, PROVES, charges, codes, euros, owner, save_card, switch_on, work
from tests.billing.funding.test_recharge import mails, state
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

PAGES = 30


def toggle(till: Till) -> None:
    switch_on(till, on=False)
    switch_on(till)


def save_it_again(till: Till) -> None:
    save_card(till, LATER)


def save_it_again_and_remove_the_first(till: Till) -> None:
    save_card(till, LATER)
    first = till.buyer.get("/wallet/cards")["items"][-1]
    assert till.buyer.request("DELETE", f"/wallet/cards/{first['id']}").status_code == 200


def choose_another_and_go_back(till: Till) -> None:
    switch_on(till, card=till.buyer.get("/wallet/cards")["items"][-1]["id"])
    other = save_card(till, GOOD)
    switch_on(till, card=other["id"])
    switch_on(till, card=till.buyer.get("/wallet/cards")["items"][-1]["id"])


@pytest.mark.parametrize("dodge", [
    toggle, save_it_again, save_it_again_and_remove_the_first, choose_another_and_go_back,
])  # fmt: skip
def test_a_declined_card_is_left_alone_whatever_its_owner_changes(till: Till, dodge: Callable[[Till], None]) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    for _ in range(2):
        dodge(till)
        work(till)
    assert charges() == [("refused", 30_000)] and state(till)["now"] == "waiting"

    for hours, tries in ((1.1, 2), (5.8, 2), (0.3, 3), (24.1, 4), (500, 4)):  # counted on, as of one card
        till.clock.advance(hours=hours)
        work(till)
        assert len(charges()) == tries, hours
    assert (state(till)["now"], state(till)["paused"]) == ("paused", "declined")


def test_a_card_that_is_saved_anew_is_the_same_card(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    save_card(till, LATER)
    work(till)

    assert len(charges()) == 1 and codes(till) == ["changed", "charge", "declined"]


def test_a_card_that_was_declined_in_one_wallet_is_left_alone_in_the_others(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    dollars = {name: {"amount": minor, "currency": "USD"}
               for name, minor in (("threshold", "100.00"), ("target", "300.00"), ("daily_limit", "900.00"))}  # fmt: skip
    assert till.buyer.request("PUT", "/wallet/recharges/USD", {"on": True} | dollars).json["now"] == "waiting"
    work(till)

    assert len(charges()) == 1


def test_cards_that_nobody_can_tell_apart_count_as_one(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    sql("UPDATE billing.saved_cards SET fingerprint = NULL")
    assert state(till)["now"] == "waiting"
    save_card(till, LATER)
    sql("UPDATE billing.saved_cards SET fingerprint = NULL")
    work(till)

    assert len(charges()) == 1 and state(till)["now"] == "waiting"


def test_a_card_that_has_paid_begins_anew(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    for hours in (0, 1.1, 6.1):
        till.clock.advance(hours=hours)
        work(till)
    sql("UPDATE billing.top_ups SET state = 'paid', payment_id = 'pi_for_a_test', declined_as = NULL WHERE id = "
        "(SELECT id FROM billing.top_ups ORDER BY opened_at DESC, id DESC LIMIT 1)")  # fmt: skip
    assert (state(till)["not_before"], state(till)["paused"]) == (None, None)
    sql("UPDATE billing.top_ups SET state = 'refused', payment_id = NULL WHERE payment_id IS NOT NULL")


def test_resuming_tries_a_card_once_more_and_at_most_so_often_a_day(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    for _ in range(8):
        assert till.buyer.post("/wallet/recharges/EUR/resume")["paused"] is None
        work(till)
    assert len(charges()) == 5  # card.tries_a_day
    assert state(till)["now"] == "too_many_tries" and codes(till).count("too_many_tries") == 1
    assert mails() == ["paused"] * 2
    visitor = visitor_of(till.market, till.buyer)
    assert "declined too often within a day" in words_of(visitor.open("/buyer/wallet/recharge"))

    till.clock.advance(hours=24)
    work(till)
    assert len(charges()) == 6


def test_what_is_under_way_in_other_wallets_counts_as_a_try(till: Till) -> None:
    save_card(till, LATER)
    switch_on(till)
    sql("INSERT INTO billing.top_ups (id, account_id, currency, amount_minor, actor, opened_at, card_id) "
        "SELECT uuidv7(), :id, c, 1, 'x', :at, k.id FROM unnest(ARRAY['AAA', 'BBB', 'CCC', 'DDD', 'EEE']) c, "
        "billing.saved_cards k", id=owner(till), at=till.clock.now())  # fmt: skip
    assert state(till)["now"] == "too_many_tries"
    sql("UPDATE billing.top_ups SET state = 'refused', ended_at = opened_at")
    assert state(till)["now"] == "charge"


def test_a_bank_that_asks_is_mailed_once_a_try_and_twice_a_day(till: Till) -> None:
    save_card(till, PROVES)
    switch_on(till)
    for tries in range(1, 5):
        work(till)
        assert len(charges()) == tries and len(mails()) == min(tries, 2)
        till.buyer.post("/wallet/recharges/EUR/resume")
    [*_, third, fourth] = [item["says"] for item in reversed(till.buyer.get("/wallet/recharges/EUR/log")["items"])
                           if item["code"] == "authentication_required"]  # fmt: skip
    assert "No further mail is sent today." in third and "No further mail is sent today." in fourth

    till.clock.advance(hours=24)
    work(till)
    assert len(mails()) == 3


def pages_opened(till: Till, top_ups: int, cards: int) -> None:
    at = till.clock.now()
    sql("INSERT INTO billing.top_ups (id, account_id, currency, amount_minor, state, actor, opened_at, ended_at) "
        "SELECT uuidv7(), :id, 'EUR', 100, 'expired', 'x', :at, :at FROM generate_series(1, :many)",
        id=owner(till), at=at, many=top_ups)  # fmt: skip
    sql("INSERT INTO billing.card_pages (id, account_id, state, actor, opened_at, ended_at) "
        "SELECT uuidv7(), :id, 'expired', 'x', :at, :at FROM generate_series(1, :many)",
        id=owner(till), at=at, many=cards)  # fmt: skip


def test_an_account_opens_so_many_pages_a_day_and_is_told_when_it_may_again(till: Till) -> None:
    pages_opened(till, 14, 14)
    till.ask()
    till.buyer.post("/wallet/card-pages", {})
    for path, body in (("/wallet/top-ups", {"amount": euros("100.00")}), ("/wallet/card-pages", {})):
        refused = till.buyer.request("POST", path, body, Idempotency_Key="again")
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
        again = till.clock.now() + timedelta(days=1)
        assert refused.json["detail"].endswith(f"Try again from {again:%Y-%m-%d %H:%M:%S} UTC on.")
        assert refused.headers["Retry-After"] == "86400"
    visitor = visitor_of(till.market, till.buyer)
    assert "are opened in 24 hours" in words_of(visitor.send("/buyer/wallet/top-up", amount="100"))
    answer = visitor.send("/buyer/wallet/cards/new", "/buyer/wallet/cards")
    assert "are opened in 24 hours" in words_of(visitor.open(answer.headers["Location"]))
    other = till.market.make_buyer("0")
    assert other.request("POST", "/wallet/card-pages", {}).status_code == 201

    till.clock.advance(days=1)
    till.ask(Idempotency_Key="again")


def test_two_pages_at_once_are_not_both_the_last_one(till: Till) -> None:
    pages_opened(till, 0, PAGES - 1)
    refused = []

    def open_page() -> None:
        try:
            start_card_page(
                owner(till), "EUR", Ways("https://x.example/a", "https://x.example/b"), "x", till.clock.now()
            )
        except TooMany as error:
            refused.append(error)

    assert at_once(till, *[open_page] * 4) == []
    assert len(refused) == 3 and till.count("card_pages") == PAGES


def test_pages_that_the_processor_refused_do_not_count(till: Till) -> None:
    pages_opened(till, PAGES, 0)
    sql("UPDATE billing.top_ups SET state = 'refused'")

    assert till.ask()["state"] == "open"
