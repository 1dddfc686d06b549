"""The daily mail comes to who asked for it, once a day, with what happened since the last one."""

import email
import threading
from email import policy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.db import db, transaction
from core.mail import Mailer, NotSent
from core.notifications import has_digest, queue_digests, set_digest
from core.notifications.digests import digest_text, mail_digest, send_digests
from tests.conftest import SetClock
from tests.core.scene import Scene


def want(scene: Scene, wanted: bool = True) -> None:
    with transaction():
        set_digest(scene.account, wanted, scene.clock.now())


def run_jobs() -> int:
    """Do what the worker would do with the mails on the queue."""
    query = "DELETE FROM procrastinate_jobs WHERE task_name = 'core.digest_mail' RETURNING args"
    with transaction() as session:
        waiting: list[Any] = list(session.scalars(db.text(query)).all())
    for arguments in waiting:
        mail_digest(**arguments)
    return len(waiting)


def mails(folder: Path) -> list[Any]:
    found = sorted((folder / "mail").glob("*.eml"))
    return [email.message_from_bytes(one.read_bytes(), policy=policy.default) for one in found]


def test_who_asked_gets_one_mail_a_day_of_what_is_new(scene: Scene, tmp_path: Path) -> None:
    scene.tell("lead.rejected")
    want(scene)
    scene.clock.advance(hours=1)
    scene.tell("lead.sold", count=3)
    scene.tell("sale.settled")
    send_digests()
    assert run_jobs() == 0
    scene.clock.advance(hours=23)
    send_digests()
    send_digests()
    assert run_jobs() == 1
    (mail,) = mails(tmp_path)
    text = mail.get_content()
    assert mail["To"] == "ada@example.com" and "3  lead.sold" in text and "1  sale.settled" in text
    assert "lead.rejected" not in text
    scene.clock.advance(hours=23)
    scene.tell("lead.unsold")
    scene.clock.advance(hours=1)
    scene.tell("lead.pending")
    send_digests()
    run_jobs()
    second = mails(tmp_path)[1].get_content()
    assert "lead.unsold" in second and "lead.sold" not in second
    assert "lead.pending" not in second  # too young: its fellows may still be on their way


def test_a_day_without_news_brings_no_mail(scene: Scene, tmp_path: Path) -> None:
    want(scene)
    scene.clock.advance(days=1)
    send_digests()
    assert run_jobs() == 1 and mails(tmp_path) == []


def test_nobody_is_sent_a_mail_they_did_not_ask_for(scene: Scene) -> None:
    assert not has_digest(scene.account)
    want(scene)
    want(scene)
    assert has_digest(scene.account)
    want(scene, False)
    scene.clock.advance(days=2)
    with transaction():
        assert queue_digests(scene.clock.now()) == 0


def test_a_mail_server_that_is_away_is_tried_again(scene: Scene, app: Flask, tmp_path: Path) -> None:
    want(scene)
    scene.clock.advance(hours=1)
    scene.tell()
    scene.clock.advance(days=1)
    send_digests()
    app.extensions["leadbourse_mailer"] = Mailer(tmp_path, "smtp://127.0.0.1:1", "a@b.example")
    with pytest.raises(NotSent):
        run_jobs()


def test_clocks_at_the_same_time_queue_each_mail_once(scene: Scene, app: Flask, clock: SetClock) -> None:
    want(scene)
    clock.advance(days=1)

    def work() -> None:
        with app.app_context():
            send_digests()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run_jobs() == 1


def test_the_mail_says_how_to_stop_it() -> None:
    text = digest_text({"b": 2, "a": 1}, "x", "y")
    assert text.index("  a") < text.index("  b") and '{"daily_mail": false}' in text
