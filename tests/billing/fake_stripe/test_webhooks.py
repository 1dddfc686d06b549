"""Webhooks: signed, in order, until somebody takes them, and spoilt to order."""

import time

import pytest
import stripe

from billing.fake_stripe import running_fake
from billing.fake_stripe.webhooks import signature
from tests.billing.fake_stripe.conftest import until
from tests.billing.fake_stripe.referee import client


def customers(api, *names: str) -> None:
    for name in names:
        api.v1.customers.create({"name": name})


def names(inbox, count: int) -> list[str]:
    inbox.types(count)
    return [event.data.object["name"] for event in inbox.events]


def test_events_come_in_their_order_signed(api, inbox) -> None:
    customers(api, "a", "b", "c")

    assert names(inbox, 3) == ["a", "b", "c"]


def test_another_secret_or_an_old_instant_does_not_verify() -> None:
    payload = b'{"object": "event"}'
    stripe.Webhook.construct_event(payload, signature(payload, "whsec_1", int(time.time())), "whsec_1")

    for secret, at in (("whsec_2", int(time.time())), ("whsec_1", int(time.time()) - 301)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(payload, signature(payload, secret, at), "whsec_1")


def test_what_is_not_taken_comes_again(fake, api, inbox) -> None:
    inbox.refuses = 2
    customers(api, "a")
    (event,) = api.v1.events.list().data
    assert event.pending_webhooks == 1

    assert names(inbox, 1) == ["a"]
    until(lambda: api.v1.events.retrieve(event.id).pending_webhooks == 0)
    assert fake.deliveries() == {"waiting": 0, "held": 0, "done": 1}


def test_one_that_is_refused_does_not_hold_up_the_next(api, inbox) -> None:
    inbox.refuses = 1
    customers(api, "a")
    until(lambda: inbox.refuses == 0)
    customers(api, "b")

    assert sorted(names(inbox, 2)) == ["a", "b"]


def test_events_wait_for_a_restart(tmp_path, inbox) -> None:
    with running_fake(tmp_path, "http://127.0.0.1:9/nobody") as fake:
        inbox.secret = fake.keys.webhook_secret
        customers(client(fake.url, fake.keys.secret_key), "a", "b")
    with running_fake(tmp_path, inbox.url):
        assert sorted(names(inbox, 2)) == ["a", "b"]


def test_events_can_be_late_lost_doubled_and_turned_round(fake, api, inbox) -> None:
    fake.fault("webhook_lost", event_type="customer.*")
    customers(api, "lost")
    fake.fault("webhook_doubled")
    customers(api, "doubled")
    assert names(inbox, 2) == ["doubled", "doubled"]
    assert inbox.events[0].id == inbox.events[1].id

    fake.fault("webhook_late", seconds=600)
    customers(api, "late", "punctual")
    assert names(inbox, 3)[2:] == ["punctual"]
    fake.deliver()
    assert names(inbox, 4)[3:] == ["late"]

    fake.fault("webhook_reversed", times=3)
    customers(api, "1", "2", "3", "4")
    assert names(inbox, 8)[4:] == ["3", "2", "1", "4"]
    assert len(api.v1.events.list({"limit": 100}).data) == 8


def test_what_a_fault_holds_back_is_released_with_it(fake, api, inbox) -> None:
    fake.fault("webhook_reversed", times=5)
    customers(api, "1", "2")
    assert fake.deliveries()["held"] == 2

    fake.clear_faults()

    assert names(inbox, 2) == ["2", "1"]


def test_a_past_event_can_be_sent_again(fake, api, inbox) -> None:
    customers(api, "a")
    inbox.types(1)

    fake.resend(inbox.events[0].id)

    assert names(inbox, 2) == ["a", "a"]
