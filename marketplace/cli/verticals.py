"""Verticals from the command line, as data."""

from typing import IO

import click
import yaml

from core.clock import as_rfc3339
from core.db import transaction
from core.http import business_clock
from marketplace.catalog.shelf import all_verticals, apply_vertical, get_vertical, versions_of
from marketplace.catalog.verticals import Vertical
from marketplace.cli.running import print_json, with_app


@click.group()
def vertical() -> None:
    """List, show and change verticals."""


@vertical.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def list_(as_json: bool) -> None:
    """List the verticals that are traded."""
    found = [{"slug": one.slug, "version": one.version, "currency": one.currency} for one in all_verticals()]
    if as_json:
        print_json(found)
    for one in [] if as_json else found:
        click.echo(f"{one['slug']:30} version {one['version']}, {one['currency']}")


@vertical.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of YAML.")
@with_app
def show(slug: str, as_json: bool) -> None:
    """Show a vertical's definition as YAML, which `apply` reads again."""
    _, found = get_vertical(slug)
    if as_json:
        print_json(found.as_mapping())
    else:
        click.echo(yaml.safe_dump(found.as_mapping(), sort_keys=False, allow_unicode=True), nl=False)


@vertical.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def history(slug: str, as_json: bool) -> None:
    """Show when a vertical changed and who changed it, the newest first."""
    found = [{"version": one.definition["version"], "book_version": one.book_version, "actor": one.actor,
              "at": as_rfc3339(one.at)} for one in versions_of(get_vertical(slug)[0])]  # fmt: skip
    if as_json:
        print_json(found)
    for one in [] if as_json else found:
        click.echo(f"{one['at']}  version {one['version']} by {one['actor']}")


@vertical.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def apply(file: IO[str], as_json: bool) -> None:
    """Add or change a vertical from a YAML or JSON FILE."""
    read = Vertical.read(file.read())
    with transaction():
        changed = apply_vertical(read, business_clock().now(), "cli")
    if as_json:
        print_json({"slug": read.slug, "version": read.version, "changed": changed})
    else:
        click.echo(f"{read.slug}: {'changed' if changed else 'as it was'}")
