"""Measuring, in a database of its own."""

import importlib
import sys
from pathlib import Path

import click

from core.errors import Unavailable
from marketplace.cli.running import print_json

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "benchmarks"  # part of the source tree, not of the installed package


@click.command()
@click.argument("name", type=click.Choice(sorted(file.stem for file in FOLDER.glob("[a-z]*.py"))))
@click.option("--short", is_flag=True, help="Measure for seconds instead of minutes; the figures are rougher.")
@click.option("--rounds", type=click.IntRange(1), help="Hold so many rounds; of races alone.")
def bench(name: str, short: bool, rounds: int | None) -> None:
    """Measure NAME; one JSON line a figure, and exit status 1 when what was measured also went wrong."""
    if rounds is not None and name != "races":
        raise click.UsageError("--rounds is for races.")
    given = {} if rounds is None else {"rounds": rounds}
    if not FOLDER.exists():
        raise Unavailable("no_benchmarks", "The benchmarks come with the source tree; run this from a checkout.")
    sys.path.insert(0, str(PROJECT))
    for figure in importlib.import_module(f"benchmarks.{name}").run(short, **given):
        print_json(figure)
