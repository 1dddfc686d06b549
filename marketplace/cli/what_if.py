"""A period run again under other orders, floors, margins or rules, from the command line."""

import sys
from datetime import UTC, datetime
from typing import IO, Any, NoReturn

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from core.db import transaction
from core.errors import Fault, Invalid
from marketplace.cli.running import print_json, with_app
from marketplace.what_if.change import NOTHING, read_change
from marketplace.what_if.recorded import count_leads, read_only
from marketplace.what_if.running import judged, run_again

_ROWS = ("leads", "sold", "unsold", "rejected", "sales", "turnover", "returned", "revenue", "payout", "margin")


@click.command("what-if")
@click.option("--from", "since", required=True, help="Where the period begins: a date or an instant, in UTC.")
@click.option("--to", "until", required=True, help="Where it ends; that instant is no part of it.")
@click.option("--change", type=click.File(encoding="utf-8"), help="What would have been otherwise (YAML or JSON).")
@click.option("--model-only", is_flag=True, help="Let the model decide every lead, whatever the record says.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def what_if_command(since: str, until: str, change: IO[str] | None, model_only: bool, as_json: bool) -> None:
    """Run a period again under a change and show what it would have brought; docs/what-if.md tells how."""
    asked = NOTHING if change is None else read_change(change.read())
    start, end = instants({"from": since, "to": until})
    with transaction():
        read_only()
        sound = judged(asked, start, end)
        with _progress(count_leads(start, end)) as bar:
            report = run_again(start, end, sound, by_model=model_only, watch=bar.update)
    if as_json:
        print_json(report)
    else:
        show(report)


def instants(said: dict[str, str]) -> list[datetime]:
    """Read dates or instants, those without an offset in UTC; Invalid `invalid_period` names each that is none."""
    found, faults = [], []
    for name, one in said.items():
        try:
            at = datetime.fromisoformat(one)
            found.append(at if at.tzinfo else at.replace(tzinfo=UTC))
        except ValueError:
            says = f"{one!r} is no date or instant: write 2026-11-23, or 2026-11-23T08:00:00Z."
            faults.append(Fault(name, "not_an_instant", says))
    if faults:
        raise Invalid("invalid_period", "The period cannot be read.", faults)
    return found


def show(report: dict[str, Any]) -> None:
    """Print a report as tables."""
    for one in (*report["verticals"], *report["in_all"]):
        click.echo(f"\n{one.get('vertical', 'in all')} ({one['currency']})")
        click.echo(f"{'':24}{'happened':>14}{'what if':>14}{'difference':>14}")
        for name in _ROWS:
            _row(name, one["happened"][name], one["what_if"][name], one["difference"][name])
        reasons = sorted(one["happened"]["reasons"].keys() | one["what_if"]["reasons"].keys())
        for name in reasons:
            then, now = (one[side]["reasons"].get(name, 0) for side in ("happened", "what_if"))
            _row(f"  {name}", then, now, now - then)
    decided = report["decided"]
    click.echo(f"\n{decided['by_record']} leads as the record has them, {decided['by_model']} by the model. Asked of")
    click.echo(
        f"each as it was then, it says what the record says of {decided['alike']}, of {decided['otherwise']} not."
    )
    for title, lines in (("Modelled", report["modelled"]), ("As it happened", report["taken_from_the_record"])):
        click.echo(f"\n{title}:")
        for line in lines:
            click.echo(f"  - {line}")


def _row(name: str, *values: Any) -> None:
    click.echo(f"{name:24}" + "".join(f"{value!s:>14}" for value in values))


def _progress(leads: int) -> "tqdm[NoReturn]":
    """Open a bar of leads, on stderr and only on a terminal."""
    return tqdm(total=leads, unit=" leads", file=sys.stderr, disable=not sys.stderr.isatty())
