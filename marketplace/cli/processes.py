"""The processes that work behind the one that answers, and the command that brings a database up to date."""

import threading

import click

from core.db import migrate, pool_of, transaction
from core.http import business_clock
from core.jobs import run_clock, run_worker
from core.notifications import run_sender
from core.outbox import run_relay
from core.postgres import open_database
from marketplace.app import create_app
from marketplace.catalog.shelf import ship_verticals
from marketplace.cli.running import running_app
from marketplace.cli.settings import read_settings
from marketplace.cli.supervised import tie_to_supervisor
from marketplace.leads.delivery.courier import run_courier
from marketplace.leads.delivery.files.runner import run_files


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
