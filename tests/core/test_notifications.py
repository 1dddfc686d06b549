"""News reaches the webhooks that ask for it, signed, once a message id, patiently, and whatever endpoints do."""

import email
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path

import msgspec
import pytest

from core.db import db, transaction
from core.ids import show_id
from core.notifications import (
    Delivery,
    change_webhook,
    delete_webhook,
    forget_deliveries,
    get_webhook,
    replay,
    rotate_secret,
    secrets_of,
    write_notices,
)
from core.notifications.claims import MOST_OF_WEBHOOK
from core.notifications.jobs import tell_by_mail
from core.notifications.schedule import PAUSES
from core.outbound import Outbound
from core.signatures import verify
from tests.core.endpoints import Act, answer, answers
from tests.core.scene import Scene, heard


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
