"""Leads from the command line."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NoReturn

import click
import msgspec
from tqdm import tqdm  # type: ignore[import-untyped]

from core.db import transaction
from core.errors import NotAllowed
from core.identity import get_account
from core.ids import parse_id
from marketplace.catalog.shelf import get_vertical
from marketplace.cli.running import print_json, with_app
from marketplace.leads.imports.mapping import read_mapping
from marketplace.leads.imports.run import Error, LeadFile, Report, import_leads
from marketplace.leads.intake import Sender

_SHOW_EVERY = 500  # rows


@click.group()
def leads() -> None:
    """Import leads."""


@leads.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--publisher", required=True, help="Whose leads they are: acc_…")
@click.option("--vertical", required=True, help="What they are traded as, such as education.")
@click.option("--mapping", type=click.File(encoding="utf-8"), required=True, help="Which column becomes what (YAML).")
@click.option("--errors", type=click.File("w", encoding="utf-8", lazy=False), help="Write every rejected row here.")
@click.option("--from-line", type=click.IntRange(min=1), default=1, help="Begin here: to go on after an interruption.")
@click.option("--dry-run", is_flag=True, help="Judge the rows, post and store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def import_(
    file: io.BufferedReader, publisher: str, vertical: str, mapping: IO[str], errors: IO[str] | None,
    from_line: int, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Import the leads of a CSV or NDJSON FILE (- is stdin) of any size; docs/import.md tells how to map columns."""
    with transaction():
        account = get_account(parse_id("acc", publisher), "publisher")
        if account.standing != "active":
            raise NotAllowed("account_suspended", "This publisher's account is suspended.")
        sender, (_, traded) = Sender(account.id, None), get_vertical(vertical)
    opened, report = LeadFile(file, file.name, read_mapping(mapping.read(), traded), traded), Report()
    with _progress(file) as bar, _told_how_far(report):

        def watch(error: Error | None) -> None:
            if error is not None and errors is not None:
                errors.write(msgspec.json.encode(error).decode() + "\n")
            if report.rows % _SHOW_EVERY == 0:
                _show(bar, file, report)

        import_leads(opened, sender, report, dry_run=dry_run, from_line=from_line, watch=watch)
        _show(bar, file, report)
    if as_json:
        print_json(report.as_json())
    else:
        _print(report)


def _progress(file: io.BufferedReader) -> "tqdm[NoReturn]":
    """Open a bar of bytes read, on stderr and only on a terminal."""
    size = os.fstat(file.fileno()).st_size if file.seekable() else None
    return tqdm(total=size, unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty())


def _show(bar: "tqdm[NoReturn]", file: io.BufferedReader, report: Report) -> None:
    if not bar.disable:
        bar.set_postfix(rows=report.rows, sold=report.sold, rejected=report.rejected, refresh=False)
        bar.update((file.tell() if file.seekable() else 0) - bar.n)


@contextmanager
def _told_how_far(report: Report) -> Iterator[None]:
    """When the work is cut short, say on stderr where to go on."""
    try:
        yield
    except BaseException:
        if report.rows:
            click.echo(
                f"Stopped. {report.rows} rows are done, through line {report.last_line}; --from-line "
                f"{report.last_line + 1} goes on. The rows right below may be done as well.", err=True,
            )  # fmt: skip
        raise


def _print(report: Report) -> None:
    click.echo(f"{report.rows} rows: {report.accepted} accepted, {report.rejected} rejected; {report.sold} sold")
    for code, number in report.reasons.most_common():
        click.echo(f"{number:8} {code}")
    for error in report.errors:
        where = f", {error['field']}" if error["field"] else ""
        click.echo(f"line {error['line']}{where}: {error['message']} ({error['code']})", err=True)
    if left_out := report.rejected - len(report.errors):
        click.echo(f"… and {left_out} more; --errors FILE writes all of them.", err=True)
