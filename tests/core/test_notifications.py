"""News reaches the webhooks that ask for it, signed, once a message id, patiently, and whatever endpoints do."""

import email
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import func, select

from core.clock import REAL_TIME
from core.db import db, transaction
from core.ids import parse_id, show_id
from core.notifications import (
    Delivery,
    DeliveryAttempt,
    Webhook,
    add_webhook,
    change_webhook,
    delete_webhook,
    forget_deliveries,
    get_webhook,
    replay,
    rotate_secret,
    run_sender,
    secrets_of,
    send_due,
    write_notices,
)
from core.notifications.claims import MOST_OF_ACCOUNT, MOST_OF_WEBHOOK, Outcome, claim_due, record
from core.notifications.jobs import tell_by_mail
from core.notifications.schedule import PAUSES
from core.outbound import Outbound
from core.signatures import verify
from marketplace.cli.accounts import make_account
from tests.at_once import at_once
from tests.conftest import SetClock
from tests.core.endpoints import Act, Endpoint, answer, answers, drips, running, silent

DATA = {"lead": "01900000-0000-7000-8000-000000000001", "reasons": []}


class Scene:
    """An account with webhooks at endpoints, and news that comes to it."""

    def __init__(self, app: Flask, clock: SetClock, stack: ExitStack) -> None:
        self.app, self.clock, self._stack, self._news = app, clock, stack, 0
        self.account = self.new_account("ada@example.com")

    def new_account(self, address: str) -> Any:
        return parse_id("acc", make_account("publisher", address, address, "a good password")["account_id"])

    def endpoint(self, act: Act) -> Endpoint:
        return self._stack.enter_context(running(act))

    def webhook(self, url: str, events: list[str] | None = None, account: Any = None) -> Webhook:
        with transaction():
            made = add_webhook(account or self.account, url, events, None, self.clock.now()).id
        return self.read(made)

    def read(self, webhook_id: Any) -> Webhook:
        db.session.rollback()
        found = db.session.get_one(Webhook, webhook_id, populate_existing=True)
        db.session.expunge(found)
        db.session.rollback()
        return found

    def tell(self, event: str = "lead.sold", account: Any = None, count: int = 1) -> list[dict[str, Any]]:
        news = []
        for _ in range(count):
            self._news += 1
            news.append({"id": self._news, "event": event, "at": self.clock.now().isoformat(),
                         "accounts": [str(account or self.account)], "data": DATA})  # fmt: skip
        write_notices(news)
        return news

    def deliveries(self) -> list[Delivery]:
        db.session.rollback()
        found = list(db.session.scalars(select(Delivery).order_by(Delivery.id)))
        db.session.expunge_all()
        db.session.rollback()
        return found

    def attempts(self) -> list[DeliveryAttempt]:
        found = list(db.session.scalars(select(DeliveryAttempt).order_by(DeliveryAttempt.at, DeliveryAttempt.number)))
        db.session.expunge_all()
        db.session.rollback()
        return found

    def send(self) -> int:
        return send_due(self.clock.now())


@pytest.fixture
def scene(app: Flask, clock: SetClock) -> Iterator[Scene]:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    with ExitStack() as stack:
        yield Scene(app, clock, stack)


def heard(endpoint: Endpoint) -> list[tuple[dict[str, str], bytes]]:
    read = []
    for raw in endpoint.heard:
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
        read.append(({name.lower(): text for name, _, text in lines}, body))
    return read


def test_news_arrives_signed_and_in_the_standards_shape(scene: Scene) -> None:
    endpoint = scene.endpoint(answers(200, b"thanks"))
    webhook = scene.webhook(endpoint.url)
    scene.tell()
    assert scene.send() == 1 and scene.send() == 0
    ((headers, body),) = heard(endpoint)
    assert msgspec.json.decode(body) == {
        "type": "lead.sold", "timestamp": "2026-11-22T10:00:00Z",
        "data": {"lead": "lead_01j0000000e008000000000001", "reasons": []},
    }  # fmt: skip
    (delivery,) = scene.deliveries()
    assert headers["webhook-id"] == show_id("del", delivery.id) and headers["content-type"] == "application/json"
    assert verify(secrets_of(webhook), headers, body, datetime.now(UTC))
    assert (delivery.state, delivery.attempts, delivery.leased_until) == ("delivered", 1, None)
    (attempt,) = scene.attempts()
    assert (attempt.status, attempt.error, attempt.answer) == (200, None, "thanks")


def test_a_webhook_gets_the_events_it_asks_for_and_only_of_its_account(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    scene.webhook(endpoint.url, ["lead.sold", "sale.settled"])
    scene.webhook(endpoint.url)
    scene.webhook(endpoint.url, account=scene.new_account("eve@example.com"))
    scene.tell("lead.sold")
    scene.tell("lead.rejected")
    assert sorted(one.event for one in scene.deliveries()) == ["lead.rejected", "lead.sold", "lead.sold"]


def test_news_that_is_carried_twice_is_sent_once(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    scene.webhook(endpoint.url)
    news = scene.tell(count=3)
    write_notices(news)
    scene.send()
    write_notices(news)
    assert (scene.send(), len(endpoint.heard)) == (0, 3)


def test_what_fails_is_sent_again_by_the_schedule_with_the_same_id(scene: Scene) -> None:
    endpoint = scene.endpoint(answers(500, b"<html>no</html>"))
    webhook = scene.webhook(endpoint.url)
    scene.tell()
    assert (scene.send(), scene.send()) == (1, 0)
    for pause in PAUSES:
        scene.clock.instant += pause * 0.99
        assert scene.send() == 0
        scene.clock.instant += pause * 0.12
        assert scene.send() == 1
    assert len({headers["webhook-id"] for headers, _ in heard(endpoint)}) == 1
    (delivery,) = scene.deliveries()
    assert (delivery.state, delivery.reason, delivery.attempts) == ("failed", "exhausted", 10)
    scene.clock.advance(days=30)
    assert scene.send() == 0 and len(scene.attempts()) == 10
    assert scene.read(webhook.id).disabled_reason == "failing"


def test_a_webhook_that_works_for_other_news_stays_enabled(scene: Scene) -> None:
    acts = iter([answer(500), *[answer(200)], *[answer(500)] * 9])
    endpoint = scene.endpoint(lambda caller, _: caller.sendall(next(acts)))
    webhook = scene.webhook(endpoint.url)
    scene.tell()
    scene.send()
    (first,) = scene.deliveries()
    scene.clock.advance(seconds=1)
    scene.tell()
    scene.send()
    assert scene.read(webhook.id).failing_since is None
    with transaction():
        waiting = db.session.get_one(Delivery, first.id)
        waiting.tries, waiting.next_attempt_at = 9, scene.clock.now()
    scene.send()
    assert scene.deliveries()[0].state == "failed" and scene.read(webhook.id).disabled_at is None


def test_gone_stops_and_disables_and_the_account_is_told(scene: Scene, tmp_path: Path) -> None:
    endpoint = scene.endpoint(answers(410))
    webhook = scene.webhook(endpoint.url)
    scene.tell(count=10)
    sent = scene.send()
    assert 1 <= sent <= MOST_OF_WEBHOOK and len(endpoint.heard) == sent
    states = sorted((one.state, one.reason) for one in scene.deliveries())
    assert set(states) == {("dropped", "disabled"), ("failed", "gone")} and len(states) == 10
    disabled = scene.read(webhook.id)
    assert disabled.disabled_reason == "gone" and disabled.disabled_at == scene.clock.now()
    told = db.session.scalars(db.text("SELECT payload FROM core.outbox")).all()
    assert [one["event"] for one in told] == ["webhook.disabled"]
    assert told[0]["accounts"] == [str(scene.account)]
    db.session.rollback()
    tell_by_mail(webhook_id=str(webhook.id))
    (file,) = (tmp_path / "mail").glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message["To"] == "ada@example.com" and show_id("whk", webhook.id) in message.get_content()


def test_a_disabled_webhook_gets_nothing_and_starts_afresh_when_enabled(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    webhook = scene.webhook(endpoint.url)
    scene.tell()
    with transaction():
        change_webhook(get_webhook(scene.account, webhook.id), None, None, False, scene.clock.now())
    scene.tell()
    assert (scene.send(), len(scene.deliveries())) == (0, 1)
    (dropped,) = scene.deliveries()
    assert (dropped.state, dropped.reason) == ("dropped", "disabled")
    with transaction():
        mine = get_webhook(scene.account, webhook.id)
        change_webhook(mine, None, None, True, scene.clock.now())
        replay(mine, dropped.id, scene.clock.now())
    assert scene.send() == 1 and scene.deliveries()[0].state == "delivered"


def test_what_waits_for_a_deleted_webhook_is_dropped(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    webhook = scene.webhook(endpoint.url)
    scene.tell()
    with transaction():
        delete_webhook(get_webhook(scene.account, webhook.id), scene.clock.now())
    assert scene.send() == 0 and scene.deliveries()[0].reason == "deleted"


def test_a_replay_keeps_the_id_and_the_log(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    webhook = scene.webhook(endpoint.url)
    scene.tell()
    scene.send()
    (delivery,) = scene.deliveries()
    with transaction():
        replay(get_webhook(scene.account, webhook.id), delivery.id, scene.clock.now())
    scene.send()
    assert len({headers["webhook-id"] for headers, _ in heard(endpoint)}) == 1
    assert [one.number for one in scene.attempts()] == [1, 2]


@pytest.mark.parametrize(
    ("act", "status", "error"),
    [
        (answers(302, b"", Location="http://169.254.169.254/"), 302, None),
        (answers(200, b"x" * 100_000), None, "too_large"),
        (lambda caller, _: caller.sendall(b"SSH-2.0\r\n"), None, "bad_http"),
        (lambda caller, _: None, None, "connection"),
        (answers(200, b"\0\xff"), 200, None),
    ],
)
def test_whatever_an_endpoint_says_is_logged(scene: Scene, act: Act, status: int | None, error: str | None) -> None:
    scene.webhook(scene.endpoint(act).url)
    scene.tell()
    scene.send()
    (attempt,) = scene.attempts()
    assert (attempt.status, attempt.error) == (status, error) and "\0" not in attempt.answer
    assert scene.deliveries()[0].state == ("delivered" if status == 200 else "waiting")


def test_retry_after_is_heeded(scene: Scene) -> None:
    scene.webhook(scene.endpoint(answers(429, b"", Retry_After="3600")).url)
    scene.tell()
    scene.send()
    assert scene.deliveries()[0].next_attempt_at == scene.clock.now() + timedelta(hours=1)


def test_a_private_address_is_refused_when_it_is_called_too(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    scene.webhook(endpoint.url)
    scene.tell()
    scene.app.extensions["leadbourse_outbound"] = Outbound(allow_private=False)
    scene.send()
    assert scene.attempts()[0].error == "target_refused" and endpoint.heard == []


def test_both_secrets_sign_while_one_replaces_the_other(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    webhook = scene.webhook(endpoint.url)
    before = secrets_of(webhook)
    with transaction():
        rotate_secret(get_webhook(scene.account, webhook.id))
    after = secrets_of(scene.read(webhook.id))
    assert len(after) == 2 and after[1:] == before and after[0] != before[0]
    scene.tell()
    scene.send()
    ((headers, body),) = heard(endpoint)
    for secret in after:
        assert verify([secret], headers, body, datetime.now(UTC))


def test_the_stored_secret_is_sealed(scene: Scene) -> None:
    webhook = scene.webhook(scene.endpoint(answers()).url)
    assert secrets_of(webhook)[0].encode() not in webhook.secret


def test_an_attempt_whose_worker_died_is_made_again_when_the_lease_ends(scene: Scene) -> None:
    endpoint = scene.endpoint(answers())
    scene.webhook(endpoint.url)
    scene.tell()
    with transaction():
        assert len(claim_due(scene.clock.now(), 10)) == 1  # and then the worker is killed
    assert scene.send() == 0
    with transaction():
        scene_delivery = db.session.scalars(select(Delivery)).one()
        scene_delivery.leased_until = REAL_TIME.now() - timedelta(seconds=1)
    assert scene.send() == 1 and len(endpoint.heard) == 1


def test_workers_at_the_same_time_send_each_message_once(scene: Scene) -> None:
    endpoints = [scene.endpoint(answers()) for _ in range(5)]
    for endpoint in endpoints:
        scene.webhook(endpoint.url)
    scene.tell(count=20)

    def work() -> int:
        with scene.app.app_context():
            return scene.send()

    assert sum(at_once([work] * 4)) == 100
    for endpoint in endpoints:
        ids = [headers["webhook-id"] for headers, _ in heard(endpoint)]
        assert len(ids) == len(set(ids)) == 20


def test_one_account_takes_no_more_than_its_share_at_once(scene: Scene) -> None:
    for number in range(4):
        scene.webhook(f"http://127.0.0.1:1/{number}")
    other = scene.new_account("eve@example.com")
    scene.webhook("http://127.0.0.1:1/", account=other)
    scene.tell(count=20)
    scene.tell(account=other, count=2)
    with transaction():
        first = claim_due(scene.clock.now(), 3)
    assert len(first) == 3 and len({one.webhook_id for one in first}) >= 2  # accounts take turns
    with transaction():
        claim_due(scene.clock.now(), 64)
    with transaction():
        assert claim_due(scene.clock.now(), 64) == []
        leased = select(Webhook.account_id, func.count()).join(Delivery, Delivery.webhook_id == Webhook.id)
        found = db.session.execute(leased.where(Delivery.leased_until.is_not(None)).group_by(Webhook.account_id)).all()
        counted = {row[0]: row[1] for row in found}
    assert counted == {scene.account: MOST_OF_ACCOUNT, other: 2}


def test_a_failing_webhook_gets_one_call_at_a_time(scene: Scene) -> None:
    webhook = scene.webhook("http://127.0.0.1:1/")
    scene.tell(count=10)
    with transaction():
        claimed = claim_due(scene.clock.now(), 1)
        record(claimed[0], Outcome(500, None), scene.clock.now())
    assert scene.read(webhook.id).failing_since == scene.clock.now()
    with transaction():
        assert len(claim_due(scene.clock.now(), 64)) == 1


def test_a_slow_endpoint_holds_up_nobody_else(scene: Scene) -> None:
    slow, quick = scene.endpoint(silent), scene.endpoint(answers())
    scene.webhook(slow.url)
    scene.webhook(quick.url, account=(other := scene.new_account("eve@example.com")))
    scene.webhook(scene.endpoint(drips(b"", b"x", 0.2)).url)
    scene.tell(count=10)
    scene.tell(account=other, count=10)
    ended = threading.Event()
    sender = threading.Thread(target=run_sender, args=(scene.app, ended))
    sender.start()
    try:
        for _ in range(400):
            if len(quick.heard) == 10:
                break
            threading.Event().wait(0.02)
        states = [one.state for one in scene.deliveries()]
    finally:
        ended.set()
        sender.join()
    assert len(quick.heard) == 10 and states.count("waiting") >= 20
    assert len(slow.heard) <= MOST_OF_WEBHOOK


def test_news_is_not_told_of_a_transaction_that_failed(scene: Scene) -> None:
    scene.webhook(scene.endpoint(answers()).url)
    with pytest.raises(KeyError):
        write_notices([{"id": 1, "event": "lead.sold", "accounts": [str(scene.account)], "data": {}}])
    assert scene.deliveries() == []


def test_old_deliveries_that_ended_are_forgotten(scene: Scene) -> None:
    scene.webhook(scene.endpoint(answers()).url)
    scene.tell()
    scene.send()
    scene.tell()
    with transaction():
        assert forget_deliveries(datetime.now(UTC) - timedelta(hours=1)) == 0
        assert forget_deliveries(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert [one.state for one in scene.deliveries()] == ["waiting"] and scene.attempts() == []
