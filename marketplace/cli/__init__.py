"""The command line `leadbourse`: one group, a module for each kind of command."""

import logging
import signal
import sys

import click

from core.errors import DomainError
from marketplace.cli.accounts import account
from marketplace.cli.bank import bank
from marketplace.cli.bench import bench
from marketplace.cli.books import audit_command, books_group, fund_command, reconcile_command, run_due_command
from marketplace.cli.defaults import defaults_command
from marketplace.cli.demo import demo, simulator
from marketplace.cli.leads import leads
from marketplace.cli.payouts import payouts
from marketplace.cli.places import places
from marketplace.cli.processes import clock, db_group, serve, web, worker
from marketplace.cli.replay import replay_command
from marketplace.cli.time import time_command
from marketplace.cli.verticals import vertical
from marketplace.cli.what_if import what_if_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def leadbourse() -> None:
    """Leadbourse, the lead exchange that one can check."""


for command in (account, audit_command, bank, bench, books_group, clock, db_group, defaults_command, demo,
                fund_command, leads, payouts, places, reconcile_command, replay_command, run_due_command, serve,
                simulator, time_command, vertical, web, what_if_command, worker):  # fmt: skip
    leadbourse.add_command(command)


def main() -> None:
    """Run a command; a refusal is a sentence on stderr and exit status 1, SIGTERM ends it like Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    for chatty in ("alembic", "procrastinate", "apscheduler", "stripe"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        leadbourse(prog_name="leadbourse")
    except DomainError as refused:
        click.echo(f"leadbourse: {refused.detail or refused.code}", err=True)
        for fault in refused.faults:
            click.echo(f"  {fault.field}: {fault.message} ({fault.code})", err=True)
        sys.exit(1)
