"""Stripe's news: verified, kept once, handled in any order; what is lost is fetched."""

import json
import random

import pytest

from core.db import transaction
from tests.billing.funding.conftest import Till


def test_a_forged_signature_is_refused_and_nothing_is_kept(till: Till) -> None:
    till.pay(till.ask()["checkout_url"])
    raw = till.events()[-1]

    assert till.hook(raw, secret="whsec_somebody_elses") == 400
    assert till.hook(raw, age=3600) == 400, "an old one"
    assert till.hook(raw.replace(b"evt_", b"evt_x")[:-1]) == 400, "no JSON any more"
    assert till.app.test_client().post("/webhooks/stripe", data=raw).status_code == 400
    assert till.count("card_news") == 0


def test_an_event_is_answered_at_once_and_kept_raw_once(till: Till) -> None:
    till.pay(till.ask()["checkout_url"])
    raw = till.events()[-1]

    assert [till.hook(raw) for _ in range(3)] == [200, 200, 200]
    assert till.count("card_news") == 1
    assert till.wallet().available.minor == 0, "the job books, not the webhook"


@pytest.mark.parametrize("seed", range(6))
def test_events_in_any_order_doubled_or_lost_give_the_same_balances(till: Till, seed: int) -> None:
    shuffle = random.Random(seed)
    first, second = till.ask("100.00"), till.ask("50.00")
    till.pay(first["checkout_url"])
    till.pay(second["checkout_url"])
    events = till.events()
    sent = [raw for raw in events for _ in range(shuffle.choice((0, 1, 2)))]
    shuffle.shuffle(sent)
    for raw in sent:
        assert till.hook(raw) == 200
        if shuffle.random() < 0.5:
            till.look()
    till.look()

    assert till.wallet().available.minor == 15_000
    assert till.account(1000) == 0 and till.account(1010) == till.at_stripe()


def test_an_event_about_what_is_not_ours_is_handled_and_books_nothing(till: Till) -> None:
    till.pay(till.ask()["checkout_url"])
    event = json.loads(next(raw for raw in till.events() if b'"payment_intent.succeeded"' in raw))
    event["id"], event["data"]["object"]["id"] = "evt_stranger", "pi_stranger"

    assert till.hook(json.dumps(event).encode()) == 200
    till.look()

    assert till.wallet().available.minor == 10_000
    with transaction() as session:
        outcome = session.connection().exec_driver_sql(
            "SELECT outcome FROM billing.card_news WHERE id = 'evt_stranger'"
        )
        assert outcome.scalar_one().startswith("refused: ")
