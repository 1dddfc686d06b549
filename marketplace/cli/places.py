"""Places from the command line: where postal codes lie, for orders that buy around a place."""

from typing import IO

import click

from core.db import transaction
from core.http import business_clock
from marketplace.catalog.places.centres import keep_centres, read_centres
from marketplace.cli.running import print_json, with_app

ACTOR = "operator:command-line"


@click.group()
def places() -> None:
    """Say where postal codes lie."""


@places.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def import_(file: IO[str], as_json: bool) -> None:
    """Replace the centres of the countries in FILE, a CSV of country, postal_code, latitude and longitude."""
    read = read_centres(file)
    with transaction():
        row = keep_centres(read, ACTOR, business_clock().now())
        report = {"lines": row.lines, "kept": row.kept, "countries": row.countries,
                  "reasons": dict(read.reasons), "faults": row.faults}  # fmt: skip
    if as_json:
        print_json(report)
        return
    click.echo(f"{report['kept']} codes of {', '.join(row.countries)} kept from {report['lines']} lines.")
    for fault in read.faults:
        click.echo(f"line {fault['line']}: {fault['message']} ({fault['code']})", err=True)
