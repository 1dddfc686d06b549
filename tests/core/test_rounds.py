"""The loop of workers: goes on after what fails, rests when there is nothing to do, and ends when told to."""

import logging
import threading

import psycopg
import pytest
from flask import Flask, current_app

from core import rounds
from core.rounds import run_rounds


def test_a_round_that_fails_is_logged_and_the_next_one_comes(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rounds, "BREATH_SECONDS", 0)
    ended, said = threading.Event(), [ZeroDivisionError("a bug"), psycopg.OperationalError("gone"), True, False]

    def one_round() -> bool:
        assert current_app.name == "leadbourse"
        told = said.pop(0)
        if not said:
            ended.set()
        if isinstance(told, Exception):
            raise told
        return bool(told)

    with caplog.at_level(logging.WARNING):
        run_rounds(app, ended, "the test", one_round, idle_seconds=0)
    assert said == []
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("ERROR", "the test failed"), ("WARNING", "the test waits: gone"),
    ]  # fmt: skip


def test_nothing_is_done_once_it_is_told_to_end(app: Flask) -> None:
    ended = threading.Event()
    ended.set()
    run_rounds(app, ended, "the test", lambda: pytest.fail("a round was made"), idle_seconds=0)
