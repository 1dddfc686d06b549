"""Business time: shown, set and sped up, for demonstrations and tests."""

import click

from core.anchor import read_clock, set_clock
from core.clock import as_rfc3339, from_rfc3339
from core.db import transaction
from core.errors import Fault, Invalid, NotAllowed
from core.http import settings
from marketplace.cli.running import print_json, with_app


@click.command("time")
@click.option("--set", "instant", help="Anchor business time at this RFC 3339 instant.")
@click.option("--rate", type=float, help="Let business time run this many times as fast.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def time_command(instant: str | None, rate: float | None, as_json: bool) -> None:
    """Show business time, or set it; processes that run already follow within five seconds."""
    clock = read_clock()
    if instant is not None or rate is not None:
        if settings().database_url is not None:
            raise NotAllowed("clock_fixed", "Business time can be set only with the embedded database.")
        try:
            at = from_rfc3339(instant) if instant else clock.now()
        except ValueError as wrong:
            fault = Fault("set", "not_an_instant", "Give an instant with its offset, such as 2026-11-22T10:00:00Z.")
            raise Invalid("bad_instant", "The clock was not set.", [fault]) from wrong
        with transaction():
            clock = set_clock(at, rate if rate is not None else clock.rate)
    shown = {"now": as_rfc3339(clock.now()), "rate": clock.rate}
    print_json(shown) if as_json else click.echo(f"{shown['now']}, running {clock.rate:g} times as fast as real time")
