"""Proving the books and doing what is due."""

import sys
from datetime import UTC, datetime
from uuid import uuid4

import click

from billing import bank_unexplained, put_in_funds, reconcile
from billing.cli import print_audit
from core.clock import as_rfc3339, from_rfc3339
from core.db import db, transaction
from core.errors import Fault, Invalid, NotAllowed
from core.http import business_clock, settings
from core.money import Money
from marketplace.audit import audit_all
from marketplace.cli.running import print_json, with_app
from marketplace.jobs import run_due
from marketplace.reports.ledger_sheet import read_span


@click.command("audit")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def audit_command(as_json: bool) -> None:
    """Prove the books; exit status 1 and the differences when they do not hold."""
    sys.exit(print_audit(audit_all(db.session), as_json))


@click.command("run-due")
@click.option("--as-of", "as_of", help="Do what is due by this RFC 3339 instant instead of now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def run_due_command(as_of: str | None, as_json: bool) -> None:
    """Do all that is due: deliveries, disputes, settlements, reserves, payouts, first contacts, notifications."""
    done = run_due(_instant(as_of))
    if as_json:
        print_json(done)
    for name, count in {} if as_json else done.items():
        click.echo(f"{name}: {count}")


@click.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def reconcile_command(as_json: bool) -> None:
    """Tell what of the money at the card processor and the bank nobody can explain, by age; exit status 1 if any."""
    found = reconcile()
    suspense = bank_unexplained(business_clock().now())
    told = {
        "balances": [
            {"currency": one.told.currency, "told_minor": one.told.minor, "difference_minor": one.difference.minor,
             "seen_at": as_rfc3339(one.seen_at)}
            for one in found.standings
        ],
        "unexplained_minor_by_age": found.by_age(datetime.now(UTC)),
        "unexplained": [{"id": one.id, "kind": one.kind, "minor": one.money.minor, "currency": one.money.currency,
                         "since": as_rfc3339(one.since)} for one in found.unexplained],
        "suspense": suspense,
        "open_calls": found.open_calls, "unhandled_news": found.unhandled_news,
    }  # fmt: skip
    if as_json:
        print_json(told)
    for name, value in {} if as_json else told.items():
        click.echo(f"{name}: {value}")
    in_suspense = any(one["left_minor"] for one in suspense.values())
    sys.exit(1 if in_suspense or found.unexplained or any(one.difference.minor for one in found.standings) else 0)


@click.command("fund")
@click.argument("amount")
@click.argument("currency")
@click.option("--reason", required=True, help="Why; it stands in the books.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def fund_command(amount: str, currency: str, reason: str, as_json: bool) -> None:
    """Book AMOUNT CURRENCY of the platform's own money, from which the card processor's fees are paid."""
    try:
        money = Money.parse(amount, currency)
    except ValueError as wrong:
        raise Invalid("bad_amount", "Nothing was booked.", [Fault("amount", "bad_amount", f"{wrong}.")]) from wrong
    with transaction():
        put_in_funds(money, str(uuid4()), reason, "operator:command-line", business_clock().now())
    if as_json:
        print_json(money.as_json())
    else:
        click.echo(f"Put {money} {money.currency} into the platform's own funds.")


@click.group("books")
def books_group() -> None:
    """Take the books out of the program."""


@books_group.command("export")
@click.option("--from", "first", required=True, help="The first day, in UTC, such as 2026-01-01.")
@click.option("--to", "last", required=True, help="The last day, in UTC.")
@click.option("--format", "form", default="csv", show_default=True, help="csv or beancount.")
@with_app
def export_command(first: str, last: str, form: str) -> None:
    """Write every entry of these days to stdout: as CSV, or as text that beancount reads, with the balances before."""
    span = read_span(first, last, form)
    with transaction():
        for piece in span.lines():
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _instant(text: str | None) -> datetime:
    now = business_clock().now()
    if text is None:
        return now
    try:
        asked = from_rfc3339(text)
    except ValueError as wrong:
        fault = Fault("as-of", "not_an_instant", "Give an instant with its offset, such as 2026-11-22T10:00:00Z.")
        raise Invalid("bad_instant", "Nothing was done.", [fault]) from wrong
    if asked > now and settings().database_url is not None:
        raise NotAllowed("future_not_allowed", "A time later than now works only with the embedded database.")
    return asked
