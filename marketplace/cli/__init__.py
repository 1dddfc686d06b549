"""The command line `leadbourse`: one group, a module for each kind of command, loaded when the command is asked for."""

import logging
import signal
import sys
from importlib import import_module

import click

from core.errors import DomainError

# Whoever only serves, or answers HTTP by processes of its own, is spared what all others take seconds to load.
MODULE_OF = {
    "account": "accounts:account",
    "audit": "books:audit_command",
    "bank": "bank:bank",
    "bench": "bench:bench",
    "books": "books:books_group",
    "clock": "processes:clock",
    "db": "processes:db_group",
    "defaults": "defaults:defaults_command",
    "demo": "demo:demo",
    "demo-simulator": "demo:simulator",
    "fund": "books:fund_command",
    "leads": "leads:leads",
    "payouts": "payouts:payouts",
    "places": "places:places",
    "reconcile": "books:reconcile_command",
    "replay": "replay:replay_command",
    "run-due": "books:run_due_command",
    "serve": "serving:serve",
    "time": "time:time_command",
    "vertical": "verticals:vertical",
    "web": "serving:web",
    "what-if": "what_if:what_if_command",
    "worker": "processes:worker",
}


class OnDemand(click.Group):
    """A group whose commands are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # as click calls it
        """Return the names of all commands."""
        return sorted(MODULE_OF)

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command by its name, None when there is none."""
        if cmd_name not in MODULE_OF:
            return None
        module, _, name = MODULE_OF[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"marketplace.cli.{module}"), name)
        return command


@click.group(cls=OnDemand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leadbourse", message="%(prog)s %(version)s")
def leadbourse() -> None:
    """Leadbourse, the lead exchange that one can check."""


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
