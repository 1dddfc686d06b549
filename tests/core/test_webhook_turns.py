"""Workers share what is due: each message is sent by one of them, and nobody waits for somebody else's endpoint."""

import threading
from datetime import timedelta

from sqlalchemy import func, select

from core.clock import REAL_TIME
from core.db import db, transaction
from core.notifications import (
    Delivery,
    Webhook,
    run_sender,
)
from core.notifications.claims import MOST_OF_ACCOUNT, MOST_OF_WEBHOOK, Outcome, claim_due, record
from tests.at_once import at_once
from tests.core.endpoints import answers, drips, silent
from tests.core.scene import Scene, heard


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
