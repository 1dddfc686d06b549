"""Serving: one process that looks after all others, and the one that answers HTTP.

Neither loads the application, which takes seconds: the processes that they start do.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from core.config import Settings
from core.postgres import open_database
from core.supervisor import refuse_busy_port, supervise
from marketplace.cli.settings import read_settings
from marketplace.cli.supervised import SUPERVISED, tie_to_supervisor

PROGRAM = [sys.executable, "-m", "marketplace"]
PROJECT = Path(__file__).resolve().parents[2]


@click.command()
@click.option("--host", help="The address to listen on; HOST or 127.0.0.1 without.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on; PORT or 8000 without.")
def serve(host: str | None, port: int | None) -> None:
    """Migrate, then run web, worker and clock together until SIGTERM or Ctrl-C."""
    sys.exit(serve_everything(_with_address(read_settings(), host, port)))


class Beside(NamedTuple):
    """What goes on beside a service: further commands by name, and what is done every second and at the end.

    `at_end` gets the database's URL once all processes have ended.
    """

    commands: Mapping[str, list[str]] = {}
    every_second: Callable[[], None] = lambda: None
    at_end: Callable[[str], None] = lambda _url: None
    stop_within_seconds: float = 8


NOTHING = Beside()


def serve_everything(settings: Settings, beside: Beside = NOTHING) -> int:
    """Serve until told to end; the children die with this process, a dead child is started again."""
    refuse_busy_port(settings.host, settings.port)
    with open_database(settings) as database:
        environment = os.environ | {
            "DATABASE_URL": database.url, "HOST": settings.host, "PORT": str(settings.port), SUPERVISED: "1",
            "PYTHONPATH": str(PROJECT),
        }  # fmt: skip
        if stand_in := import_module("billing").stand_in_for(settings):  # loaded only by who serves
            environment |= stand_in.environment
        status = os.spawnve(os.P_WAIT, PROGRAM[0], [*PROGRAM, "db", "upgrade"], environment)  # noqa: S606
        if status != 0:
            return status
        commands = {name: [*PROGRAM, name] for name in ("web", "worker", "clock")}
        commands |= {"cards": stand_in.command} if stand_in else {}
        commands |= {name: [*PROGRAM, *command] for name, command in beside.commands.items()}

        def keep_alive() -> None:
            database.ensure_running()
            beside.every_second()

        status = supervise(commands, environment, stop_within_seconds=beside.stop_within_seconds, keep_alive=keep_alive)
        beside.at_end(database.url)
        return status


@click.command()
@click.option("--host", help="The address to listen on; HOST or 127.0.0.1 without.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on; PORT or 8000 without.")
def web(host: str | None, port: int | None) -> None:
    """Answer HTTP."""
    settings = _with_address(read_settings(), host, port)
    with open_database(settings) as database:
        os.environ.update(DATABASE_URL=database.url, PYTHONPATH=str(PROJECT))
        tie_to_supervisor()
        refuse_busy_port(settings.host, settings.port)
        Granian(
            "wsgi:app", settings.host, settings.port, interface=Interfaces.WSGI, workers=settings.web_processes,
            blocking_threads=settings.web_threads + settings.web_spare_threads,
            backpressure=settings.web_threads * 16 + settings.web_spare_threads, websockets=False,
            working_dir=PROJECT, respawn_failed_workers=True, workers_kill_timeout=5, log_level=LogLevels.warning,
        ).serve()  # fmt: skip


def _with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    return replace(settings, host=host or settings.host, port=port or settings.port)
