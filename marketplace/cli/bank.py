"""The bank from the command line: where transfers go, statements imported, what is done about suspense."""

from typing import IO, Any

import click

from billing import (
    Payee,
    Sent,
    SuspenseMove,
    book_lines,
    get_import,
    lines_of_import,
    outcomes_of,
    statements_of,
    suspended,
    take_in,
)
from core.clock import as_rfc3339
from core.db import transaction
from core.http import business_clock
from core.ids import parse_id, show_id
from core.money import Money, is_currency
from marketplace.bank_files import sheet_of
from marketplace.bank_moves import do_with_suspense, name_first_account, settle, wish_of, withdraw
from marketplace.cli.running import print_json, with_app

ACTOR = "operator:command-line"
REASON = click.option("--reason", required=True, help="Why; it stands in the log.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def bank() -> None:
    """Import bank statements, and clear up what stands in suspense."""


@bank.command("account")
@click.argument("currency")
@click.option("--payee", required=True, help="The name of the account.")
@click.option("--iban", required=True)
@click.option("--bic", required=True)
@with_app
def account_command(currency: str, payee: str, iban: str, bic: str) -> None:
    """Name the first account that transfers in CURRENCY go to; another one is asked for and agreed to on the pages."""
    with transaction():
        row = name_first_account(Payee(currency, payee, iban, bic), ACTOR, business_clock().now())
        click.echo(f"Transfers in {row.currency} go to {row.payee}, {row.iban}.")


@bank.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--csv", "is_csv", is_flag=True, help="The file is CSV; without it, it is CAMT.053.")
@click.option("--account", "iban", default="", help="Of CSV: the IBAN that it is of.")
@click.option("--currency", default="EUR", help="Of CSV: the account's currency.")
@click.option("--column", "columns", multiple=True, help="Of CSV: which column means what, as date=Buchungstag.")
@JSON
@with_app
def import_(file: IO[bytes], is_csv: bool, iban: str, currency: str, columns: tuple[str, ...], as_json: bool) -> None:
    """Import a statement FILE; each entry is booked once, however often it is imported."""
    at = business_clock().now()
    sheet = sheet_of(iban, currency, columns) if is_csv else None
    import_id = take_in(Sent(file, file.name, sheet), ACTOR, at)
    more = True
    while more:
        with transaction():
            more = book_lines(import_id, at)
    with transaction():
        told = _told(import_id)
    if as_json:
        print_json(told)
    for name, value in {} if as_json else told.items():
        click.echo(f"{name}: {value}")
    if told["state"] == "asked":
        click.echo("It credits more than one person may alone: two operators agree to it on the page Bank.", err=True)


@bank.command("suspense")
@JSON
@with_app
def suspense_command(as_json: bool) -> None:
    """List what is left in suspense, the oldest first."""
    with transaction():
        found = suspended(most=1000)
    rows = [{"id": show_id("txn", one.id), "since": as_rfc3339(one.since),
             "left": _amount(one.left_minor, one.currency),
             "currency": one.currency, "reason": one.reason, "kind": one.kind} for one in found]  # fmt: skip
    if as_json:
        print_json({"suspense": rows})
    for row in () if as_json else rows:
        click.echo("  ".join(str(value) for value in row.values()))


@bank.command("move")
@click.argument("item")
@click.argument("kind", type=click.Choice(["assign", "return", "fees", "fx", "charge"]))
@click.option("--amount", default="", help="All that is left when it is not given.")
@click.option("--account", default="", help="Whose wallet gets it, or is charged: acc_…")
@REASON
@with_app
def move(item: str, kind: str, amount: str, account: str, reason: str) -> None:
    """Assign a part of an ITEM of suspense to a wallet or charge it to one, owe it back, or write it to fees or fx."""
    with transaction():
        wish = wish_of(parse_id("txn", item), kind, amount, account, reason)
        _say(do_with_suspense(wish, ACTOR, business_clock().now()))


@bank.command("withdraw")
@click.argument("move_id")
@REASON
@with_app
def withdraw_(move_id: str, reason: str) -> None:
    """Give up what was proposed, or is owed back."""
    with transaction():
        _say(withdraw(parse_id("mov", move_id), reason, ACTOR, business_clock().now()))


@bank.command("settle")
@click.argument("move_id")
@click.option("--against", default="", help="The amount in suspense by which it left: txn_…")
@REASON
@with_app
def settle_(move_id: str, against: str, reason: str) -> None:
    """Say that money owed back has left, where no statement will tell."""
    with transaction():
        left_by = parse_id("txn", against) if against else None
        _say(settle(parse_id("mov", move_id), left_by, reason, ACTOR, business_clock().now()))


def _say(move: SuspenseMove) -> None:
    click.echo(f"{show_id('mov', move.id)} {move.state} {move.kind} {_amount(move.amount_minor, move.currency)}"
               f" {move.currency} {move.reference or ''}".rstrip())  # fmt: skip


def _amount(minor: int, currency: str) -> str:
    return str(Money(minor, currency)) if is_currency(currency) else str(minor)


def _told(import_id: Any) -> dict[str, Any]:
    row = get_import(import_id)
    gaps = [f"{one.name}: {_amount(one.gap_minor, one.currency)} {one.currency}"
            for one in statements_of(import_id) if one.gap_minor]  # fmt: skip
    refused = [{"line": one.line, "code": one.code, "message": one.says}
               for one in lines_of_import(import_id, "refused", 0, 1000)]  # fmt: skip
    return {"import": show_id("imp", import_id), "state": row.state, "lines": row.lines,
            "outcomes": outcomes_of(import_id), "gaps": gaps, "refused": refused}  # fmt: skip
