"""The exchange's defaults from the command line: for people, for programs, and as the page of the documentation."""

import click

from core.defaults import defaults
from marketplace.cli.defaults_page import as_page, as_plain
from marketplace.cli.running import print_json, with_app
from marketplace.reports.settings import Shown, settings_shown
from marketplace.resolved import REACHES, reach_said


@click.command("defaults")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--effective", is_flag=True, help="Print what holds in this exchange, and who says so.")
@click.option("--markdown", is_flag=True, help="Print the page docs/defaults.md.")
def defaults_command(as_json: bool, effective: bool, markdown: bool) -> None:
    """Print every default with its limits, who may say otherwise, and where it comes from."""
    if effective:
        _print_effective()
        return
    if as_json:
        print_json(as_plain())
        return
    if markdown:
        click.echo(as_page(), nl=False)
        return
    for section in defaults().sections:
        click.echo(f"\n{section.title}")
        for row in section.settings:
            click.echo(f"  {row.key:36} {row.shown:24} {row.says}")
            click.echo(f"  {'':36} {'':24} {reach_said(row) or f'fixed: {REACHES[row.key].why_not}'}")


@with_app
def _print_effective() -> None:
    """Print what holds, shipped or said by an operator, and what countries and verticals say otherwise."""
    for section, rows in settings_shown():
        click.echo(f"\n{section.title}")
        for one in rows:
            click.echo(f"  {one.row.key:36} {one.holds:24} {_origin(one)}")


def _origin(one: Shown) -> str:
    origin = "shipped" if one.exchange is None else f"said by an operator; shipped {one.row.shown}"
    others = {**one.countries, **one.verticals}
    return "; ".join([origin, *(f"{one.written(value)} in {place}" for place, value in others.items())])
