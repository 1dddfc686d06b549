"""The exchange's defaults from the command line: for people, for programs, and as the page of the documentation."""

import click

from core.defaults import defaults
from marketplace.cli.defaults_page import as_page, as_plain
from marketplace.cli.running import print_json


@click.command("defaults")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--markdown", is_flag=True, help="Print the page docs/defaults.md.")
def defaults_command(as_json: bool, markdown: bool) -> None:
    """Print every default with its limits, who may say otherwise, and where it comes from."""
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
