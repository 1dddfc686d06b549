"""The processes: serve (all together), or web, worker and clock each by itself."""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from billing import stand_in_for
from core.config import Settings
from core.db import migrate, pool_of, transaction
from core.http import business_clock
from core.jobs import run_clock, run_worker
from core.lifeline import die_with_parent
from core.notifications import run_sender
from core.outbox import run_relay
from core.postgres import open_database
from core.supervisor import refuse_busy_port, supervise
from marketplace.app import create_app
from marketplace.catalog.shelf import ship_verticals
from marketplace.cli.running import read_settings, running_app
from marketplace.leads.delivery.courier import run_courier
from marketplace.leads.delivery.files.runner import run_files

SUPERVISED = "LEADBOURSE_SUPERVISED"
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
        if stand_in := stand_in_for(settings):
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


@click.command()
def worker() -> None:
    """Run jobs, relay the outbox, send notifications, and deliver leads."""
    settings = read_settings()
    with open_database(settings) as database:
        tie_to_supervisor()
        app, ended = create_app(settings, database.url), threading.Event()
        loops = [
            threading.Thread(target=loop, args=(app, ended), name=loop.__name__)
            for loop in (run_relay, run_sender, run_courier, run_files)
        ]
        for loop in loops:
            loop.start()
        try:
            run_worker(app, database.url)
        finally:
            ended.set()
            for loop in loops:
                loop.join()
            pool_of(app).close()


@click.command()
def clock() -> None:
    """Enqueue scheduled jobs at their slots."""
    settings = read_settings()
    with open_database(settings) as database:
        tie_to_supervisor()
        app = create_app(settings, database.url)
        run_clock(app)
        pool_of(app).close()


@click.group("db")
def db_group() -> None:
    """Look after the database."""


@db_group.command()
def upgrade() -> None:
    """Bring the database up to date and add the verticals that come with the program."""
    with running_app():
        migrate()
        with transaction():
            ship_verticals(business_clock().now())


def tie_to_supervisor() -> None:
    """Have this process die with the one that supervises it, if any does."""
    if os.environ.get(SUPERVISED) == "1":
        die_with_parent()


def _with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    return replace(settings, host=host or settings.host, port=port or settings.port)
