"""Payouts from the command line: what waits, files made and handed on, results taken in."""

from pathlib import Path
from typing import IO

import click

from billing import content_of_payout_file, counted_payouts, get_payout_file, name_of_payout_file
from core.db import transaction
from core.errors import Conflict
from core.http import business_clock
from core.ids import parse_id, show_id
from marketplace.cli.running import print_json, with_app
from marketplace.payout_acts import give_up, hand_on, make_file, take_results

ACTOR = "operator:command-line"
KINDS = click.Choice(["sepa", "wise", "paypal"])
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def payouts() -> None:
    """See what waits to be paid out; make files for banks and other payers, and take their results in."""


@payouts.command("waiting")
@JSON
@with_app
def waiting(as_json: bool) -> None:
    """Count the payouts that wait or are on their way, by state, rail and currency."""
    with transaction():
        rows = [{"state": one.state, "rail": one.kind, "count": one.count, "amount": one.money.as_json()}
                for one in counted_payouts()]  # fmt: skip
    if as_json:
        print_json({"payouts": rows})
    for row in () if as_json else rows:
        click.echo(f"{row['state']}  {row['rail']}  {row['count']}  {row['amount']}")


@payouts.command("file")
@click.argument("kind", type=KINDS)
@click.option("--currency", default="EUR", show_default=True)
@click.option("--folder", type=click.Path(file_okay=False, exists=True, path_type=Path), default=".", show_default=True)
@JSON
@with_app
def file_(kind: str, currency: str, folder: Path, as_json: bool) -> None:
    """Order all approved payouts of a rail, and save their file."""
    with transaction():
        made = make_file(kind, currency.upper(), ACTOR, business_clock().now())
        file_id = made.id if made else None
    if file_id is None:
        raise Conflict("nothing_to_pay", "None of them can be paid any more: they were withdrawn, and say why.")
    with transaction():
        made = get_payout_file(file_id)
        told = {"file": show_id("pfl", made.id), "lines": made.lines, "amount": made.money.as_json()}
        name = name_of_payout_file(made)
        raw = content_of_payout_file(made.id)
    (folder / name).write_bytes(raw)
    _say(told | {"saved": str(folder / name)}, as_json)


@payouts.command("save")
@click.argument("file")
@click.argument("path", type=click.File("wb"))
@with_app
def save(file: str, path: IO[bytes]) -> None:
    """Save a FILE again at PATH, byte for byte as it was made."""
    with transaction():
        path.write(content_of_payout_file(parse_id("pfl", file)))


@payouts.command("handed-on")
@click.argument("file")
@JSON
@with_app
def handed_on(file: str, as_json: bool) -> None:
    """Say that a FILE was given to whoever pays."""
    with transaction():
        found = hand_on(parse_id("pfl", file), ACTOR, business_clock().now())
        _say({"file": file, "lines": found.lines, "amount": found.money.as_json()}, as_json)


@payouts.command("give-up")
@click.argument("file")
@JSON
@with_app
def give_up_(file: str, as_json: bool) -> None:
    """Give up a FILE that was never handed on; its payouts are payable again."""
    with transaction():
        found = give_up(parse_id("pfl", file), ACTOR, business_clock().now())
        _say({"file": file, "lines": found.lines, "amount": found.money.as_json()}, as_json)


@payouts.command("results")
@click.argument("kind", type=KINDS)
@click.argument("file", type=click.File("rb"))
@JSON
@with_app
def results(kind: str, file: IO[bytes], as_json: bool) -> None:
    """Take in a sheet of results; the same bytes again book nothing."""
    with transaction():
        found, is_new = take_results(file.read(), kind, file.name, ACTOR, business_clock().now())
        told = {"results": show_id("prs", found.id), "is_new": is_new, "lines": found.outcomes}
    _say(told, as_json)


def _say(told: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(told)
    for name, value in {} if as_json else told.items():
        click.echo(f"{name}: {value}")
