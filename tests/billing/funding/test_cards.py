"""Saved cards: kept once whatever tells of them how often, never charged again once removed."""

import random

import pytest

from billing.funding.due import run_cards
from billing.stripe_gateway import gateway
from tests.billing.funding.conftest import DECLINED, GOOD, Till, make_due, sql
from tests.billing.funding.saved import LATER, charges, euros, open_card_page, owner, save_card, switch_on, work


def test_a_card_is_saved_on_a_page_without_paying_and_shown_by_its_last_four(till: Till) -> None:
    asked = open_card_page(till)
    assert asked["state"] == "open" and asked["page_url"].startswith(till.stripe.url)
    assert till.pay(asked["page_url"], DECLINED) == 402
    assert till.pay(asked["page_url"]) == 303
    till.look()

    [card] = till.buyer.get("/wallet/cards")["items"]
    assert (card["brand"], card["last4"], card["exp_month"], card["exp_year"]) == ("visa", "4242", 12, 2034)
    page = till.buyer.get(f"/wallet/card-pages/{asked['id']}")
    assert (page["state"], page["card"], page["page_url"]) == ("saved", card["id"], None)
    assert till.at_stripe() == 0


def test_whoever_ticks_it_at_a_top_up_saves_the_card_that_pays(till: Till) -> None:
    body = {"amount": euros("100.00"), "save_card": True}
    assert till.pay(till.buyer.post("/wallet/top-ups", body)["checkout_url"]) == 303
    till.look()

    assert [card["last4"] for card in till.buyer.get("/wallet/cards")["items"]] == ["4242"]
    assert till.wallet().available.minor == 10_000


def test_a_top_up_without_the_tick_saves_nothing(till: Till) -> None:
    till.paid("100.00")

    assert till.buyer.get("/wallet/cards")["items"] == []


@pytest.mark.parametrize("seed", range(3))
def test_news_of_a_card_in_any_order_and_doubled_keep_it_once(till: Till, seed: int) -> None:
    till.pay(open_card_page(till)["page_url"])
    sent = till.events() * 2
    random.Random(seed).shuffle(sent)
    for raw in sent:
        assert till.hook(raw) == 200
        run_cards(till.clock.now())

    assert len(till.buyer.get("/wallet/cards")["items"]) == till.count("saved_cards") == 1


def test_a_page_whose_answer_was_lost_is_opened_once_by_its_key(till: Till) -> None:
    till.stripe.fault("drop", path="/v1/checkout/sessions")
    answer = till.buyer.request("POST", "/wallet/card-pages", {})
    assert (answer.status_code, answer.json["code"]) == (503, "cards_away")
    work(till)

    assert [row.state for row in sql("SELECT state FROM billing.card_pages")] == ["open"]


def test_a_page_that_nobody_used_expires(till: Till) -> None:
    asked = open_card_page(till)
    till.stripe.advance(25 * 3600)
    till.clock.advance(days=2)
    work(till)

    assert till.buyer.get(f"/wallet/card-pages/{asked['id']}")["state"] == "expired"


def test_a_removed_card_is_gone_here_and_there_and_late_news_does_not_bring_it_back(till: Till) -> None:
    card = save_card(till)
    switch_on(till)
    assert till.buyer.request("DELETE", f"/wallet/cards/{card['id']}").status_code == 200
    work(till)
    for raw in till.events():
        till.hook(raw)
    work(till)

    assert till.buyer.get("/wallet/cards")["items"] == [] and charges() == []
    [row] = sql("SELECT method_id, removed_by FROM billing.saved_cards")
    assert gateway().card(row.method_id).customer_id is None and row.removed_by != "system:cards"


def test_a_card_is_removed_there_for_good_though_the_answer_was_lost_for_days(till: Till) -> None:
    card = save_card(till)
    till.buyer.request("DELETE", f"/wallet/cards/{card['id']}")
    till.stripe.fault("500", path="/v1/payment_methods/*")
    run_cards(till.clock.now())
    sql("UPDATE billing.card_calls SET sent_at = now() - interval '2 d' WHERE ended_at IS NULL")
    work(till)

    [row] = sql("SELECT state FROM billing.card_calls WHERE verb = 'forget_card'")
    assert row.state == "done"


def test_a_card_that_was_detached_at_stripe_is_gone_here(till: Till) -> None:
    save_card(till)
    [row] = sql("SELECT method_id FROM billing.saved_cards")
    gateway().forget_card({"method": row.method_id}, "by hand")
    till.look()

    assert till.buyer.get("/wallet/cards")["items"] == []


def test_a_card_under_charge_is_not_removed(till: Till) -> None:
    card = save_card(till)
    switch_on(till)
    till.stripe.fault("500", path="/v1/payment_intents", times=0)
    work(till)

    answer = till.buyer.request("DELETE", f"/wallet/cards/{card['id']}")
    assert (answer.status_code, answer.json["code"]) == (409, "card_in_use")
    till.stripe.clear_faults()
    work(till)
    assert till.buyer.request("DELETE", f"/wallet/cards/{card['id']}").status_code == 200
    assert till.wallet().available.minor == 30_000


def test_nobody_sees_or_removes_the_card_of_another(till: Till) -> None:
    card, page = save_card(till), open_card_page(till)
    other = till.market.make_buyer("0")

    assert other.get("/wallet/cards")["items"] == []
    assert other.request("DELETE", f"/wallet/cards/{card['id']}").status_code == 404
    assert other.request("GET", f"/wallet/card-pages/{page['id']}").status_code == 404
    refused = other.request("PUT", "/wallet/recharges/EUR", {"on": True, "card": card["id"], "daily_limit": euros("9")})
    assert {fault["code"] for fault in refused.json["errors"]} == {"unknown_card", "no_saved_card"}


def test_a_second_card_is_of_the_same_customer(till: Till) -> None:
    save_card(till, GOOD)
    make_due()
    save_card(till, LATER)

    assert len({row.customer_id for row in sql("SELECT customer_id FROM billing.saved_cards")}) == 1
    assert till.count("card_customers") == 1 and owner(till)
