"""A period, or another system's history, run again under other orders, floors, margins or rules."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any, NoReturn

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from core.db import transaction
from core.errors import Fault, Invalid
from marketplace.catalog.shelf import get_vertical
from marketplace.cli.running import print_json, with_app
from marketplace.orders.terms import OrderBody
from marketplace.web.buyer.order_sheet import wishes_in
from marketplace.what_if.change import NOTHING, Change, read_change
from marketplace.what_if.history import check_map, read_history, read_map
from marketplace.what_if.recorded import count_leads, read_only
from marketplace.what_if.running import judged, run_again, run_history

_FIGURES = ("leads", "sold", "unsold", "rejected", "sales", "turnover", "returned", "revenue", "payout", "margin")
_TEXT = click.File(encoding="utf-8")


@click.command("what-if")
@click.option("--from", "since", help="Where the period begins: a date or an instant, in UTC.")
@click.option("--to", "until", help="Where it ends; that instant is no part of it.")
@click.option("--history", type=click.File("rb"), help="Leads of another system (CSV) instead of a period.")
@click.option("--orders", type=click.File("rb"), help="The orders of that system (CSV).")
@click.option("--map", "map_", type=_TEXT, help="Which column of the leads means what (YAML or JSON).")
@click.option("--change", type=_TEXT, help="What would have been otherwise (YAML or JSON).")
@click.option("--model-only", is_flag=True, help="Let the model decide every lead, whatever the record says.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def what_if_command(
    since: str | None, until: str | None, history: io.BufferedReader | None, orders: io.BufferedReader | None,
    map_: IO[str] | None, change: IO[str] | None, model_only: bool, as_json: bool,
) -> None:  # fmt: skip
    """Run leads again under a change and show what they would have brought; docs/what-if.md tells how.

    Exits 1 when nothing was changed and it does not come out as it happened.
    """
    asked = NOTHING if change is None else read_change(change.read())
    if history is None and orders is None and map_ is None and since and until:
        report = _of_period(since, until, asked, model_only)
    elif history and orders and map_ and not since and not until:
        report = _of_history(history, orders, map_.read(), asked, model_only)
    else:
        raise click.UsageError("Say --from and --to, or --history, --orders and --map.")
    if as_json:
        print_json(report)
    else:
        show(report)
    if asked == NOTHING and not model_only and not is_as_it_happened(report):
        click.echo(
            "\nNothing was changed, and it does not come out as it happened: this is an error of the run.", err=True
        )
        raise click.exceptions.Exit(1)


def is_as_it_happened(report: dict[str, Any]) -> bool:
    """Tell whether a run brought what happened: each figure of each vertical, and each reason."""
    return all(one["happened"] == one["what_if"] for one in (*report["verticals"], *report["in_all"]))


def _of_period(since: str, until: str, asked: Change, by_model: bool) -> dict[str, Any]:
    start, end = instants({"from": since, "to": until})
    with transaction():
        read_only()
        sound = judged(asked, start, end)
        with _watched(count_leads(start, end)) as watch:
            return run_again(start, end, sound, by_model=by_model, watch=watch)


def _of_history(
    leads: io.BufferedReader, orders: io.BufferedReader, map_: str, asked: Change, by_model: bool
) -> dict[str, Any]:  # fmt: skip
    file = read_map(map_)
    with transaction():
        read_only()
        _, vertical = get_vertical(file.vertical)
    history = read_history(leads, check_map(file, vertical), orders_in(orders.read()), vertical)
    with _watched(len(history.leads)) as watch:
        return run_history(history, asked, by_model=by_model, watch=watch)


def orders_in(raw: bytes) -> list[tuple[int, str, OrderBody]]:
    """Read a sheet of orders as buyers have them, with a column `buyer` more; Invalid names every cell at fault.

    Returns each order with its line and its buyer's name; columns of ids are left aside.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _invalid(Fault("orders", "bad_format", f"Save the sheet as CSV in UTF-8: {error}.")) from None
    if not rows or "buyer" not in rows[0]:
        raise _invalid(Fault("orders", "unknown_column", "Give a column buyer, and at least one order."))
    plain, names = io.StringIO(), [name for name in rows[0] if name not in ("buyer", "id", "version")]
    sheet = csv.DictWriter(plain, names, extrasaction="ignore")
    sheet.writeheader()
    sheet.writerows(rows)
    wishes = wishes_in(plain.getvalue().encode())
    placed = ((int(wish.place.rpartition(".")[2]), wish.asked) for wish in wishes)
    return [
        (line, (rows[line - 2]["buyer"] or "").strip(), body) for line, body in placed if isinstance(body, OrderBody)
    ]


def _invalid(fault: Fault) -> Invalid:
    return Invalid("invalid_history", "The sheet of orders cannot be read; nothing was run.", [fault])


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
        _row("", "happened", "what if", "difference")
        for name in _FIGURES:
            _row(name, one["happened"][name], one["what_if"][name], one["difference"][name])
        for name in sorted(one["happened"]["reasons"].keys() | one["what_if"]["reasons"].keys()):
            then, now = (one[side]["reasons"].get(name, 0) for side in ("happened", "what_if"))
            _row(f"  {name}", then, now, now - then)
    decided = report["decided"]
    click.echo(f"\n{decided['by_record']} leads as the record has them, {decided['by_model']} by the model. Asked of")
    click.echo(
        f"each as it was then, it says what the record says of {decided['alike']}, of {decided['otherwise']} not."
    )
    told = report["further_sales"]
    if told["happened"]:
        left_out = ", ".join(f"{count} {why}" for why, count in told["left_out"].items()) or "none left out"
        click.echo(f"{told['what_if']} of {told['happened']} further sales as they happened ({left_out}),")
        click.echo(f"{told['of_changed_orders']} of them of orders that would have said otherwise.")
    for title, lines in (("Modelled", report["modelled"]), ("As it happened", report["taken_from_the_record"])):
        click.echo(f"\n{title}:")
        for line in lines:
            click.echo(f"  - {line}")


def _row(name: str, *values: Any) -> None:
    click.echo(f"{name:24}" + "".join(f"{value!s:>14}" for value in values))


@contextmanager
def _watched(leads: int) -> Iterator[Callable[[], None]]:
    """Show a bar of leads, on stderr and only on a terminal."""
    bar: tqdm[NoReturn] = tqdm(total=leads, unit=" leads", file=sys.stderr, disable=not sys.stderr.isatty())
    with bar:
        yield bar.update
