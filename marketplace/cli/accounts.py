"""Accounts from the command line: active and approved at once."""

from datetime import UTC, datetime
from uuid import uuid4

import click

from affiliates import open_publisher
from billing import ask_promo, credit_wallet, versions_of
from core.db import transaction
from core.errors import Fault, Invalid
from core.http import business_clock
from core.identity import add_member, drop_second_factor, get_account, make_key, open_account, sign_up
from core.ids import parse_id, show_id
from core.money import Money
from marketplace.cli.running import print_json, with_app
from marketplace.credit.granting import Line, grant_line, read_limit, usual_days
from marketplace.wallet_standing import STANDINGS, set_wallet_standing

COMMAND_LINE = "operator:command-line"


@click.group()
def account() -> None:
    """Open accounts and credit wallets."""


@account.command()
@click.option("--kind", type=click.Choice(["publisher", "buyer", "operator"]), required=True)
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--password", help="One is made when it is left out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def create(kind: str, name: str, email: str, password: str | None, as_json: bool) -> None:
    """Open an account with its first user and an API key that is shown only now."""
    made = make_account(kind, name, email, password)
    if as_json:
        print_json(made)
    else:
        for field, value in made.items():
            click.echo(f"{field:11} {value}")


def make_account(kind: str, name: str, email: str, password: str | None) -> dict[str, str]:
    """Open an account and return its ids and secrets as the command prints them."""
    now = datetime.now(UTC)
    with transaction():
        opened = open_account(kind, name, now)
        if kind == "publisher":
            open_publisher(opened.id, business_clock().now())
        user_id, chosen = sign_up(opened.id, email, password, now)
        _, secret = make_key(opened, "made with the account", now)
        return {
            "account_id": show_id("acc", opened.id), "user_id": show_id("usr", user_id),
            "email": email.strip().lower(), "password": chosen, "api_key": secret,
        }  # fmt: skip


@account.command()
@click.argument("account_id")
@click.argument("amount")
@click.argument("currency")
@click.option("--reason", required=True, help="Why; it stands in the books.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def credit(account_id: str, amount: str, currency: str, reason: str, as_json: bool) -> None:
    """Book a manual credit of AMOUNT CURRENCY to a buyer's wallet."""
    booked = credit_by_hand(account_id, amount, currency, reason)
    if as_json:
        print_json(booked)
    else:
        click.echo(f"Credited {booked['amount']} {booked['currency']} to {account_id}.")


@account.command()
@click.argument("account_id")
@click.argument("amount")
@click.argument("currency")
@click.option("--reason", required=True, help="Why; the buyer reads it.")
@click.option("--key", help="The same key again gives nothing more; one is made when it is left out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@with_app
def promo(account_id: str, amount: str, currency: str, reason: str, key: str | None, as_json: bool) -> None:
    """Give promotional credit of AMOUNT CURRENCY to a buyer; above the limit of a day, ask for it on the pages."""
    money = money_of(amount, currency)
    with transaction():
        buyer = get_account(parse_id("acc", account_id), "buyer")
        named = f"command-line:{key or uuid4()}"
        state = ask_promo(buyer.id, money, named, reason, COMMAND_LINE, business_clock().now()).state
    if as_json:
        print_json({"account_id": account_id, **money.as_json(), "state": state})
    else:
        click.echo(f"{money} {currency} to {account_id}: {state}.")


@account.command("wallet-standing")
@click.argument("account_id")
@click.argument("standing", type=click.Choice(STANDINGS))
@click.option("--currency", default="EUR", show_default=True)
@click.option("--reason", required=True, help="Why; the buyer reads it.")
@with_app
def wallet_standing(account_id: str, standing: str, currency: str, reason: str) -> None:
    """Suspend a buyer's wallet to new purchases, or readmit it."""
    with transaction():
        buyer_id, at = parse_id("acc", account_id), business_clock().now()
        changed = set_wallet_standing(buyer_id, currency, standing, reason, COMMAND_LINE, at)
    click.echo(f"The wallet of {account_id} is {standing}." if changed else f"It was {standing} already.")


@account.command("credit-line")
@click.argument("account_id")
@click.argument("limit")
@click.argument("currency")
@click.option("--days", type=int, help="Net days: 7, 15 or 30.")
@click.option("--reason", required=True, help="Why; it stays with the line.")
@click.option("--above-usual", is_flag=True, help="More than the days of average spend is meant.")
@with_app
def credit_line(
    account_id: str, limit: str, currency: str, days: int | None, reason: str, above_usual: bool
) -> None:  # fmt: skip
    """Grant a buyer a credit line of LIMIT CURRENCY, or change it; 0 ends it."""
    buyer, money = parse_id("acc", account_id), read_limit(limit, currency)
    with transaction():
        version = next((one.version for one in versions_of(buyer, currency, 1)), 0)
        line = Line(money, usual_days() if days is None else days, reason, version, above_usual)
        grant_line(buyer, line, COMMAND_LINE, business_clock().now())
    click.echo(f"{account_id} may draw {money} {currency}, net {line.days} days.")


@account.command("add-member")
@click.argument("account_id")
@click.argument("email")
@with_app
def let_in(account_id: str, email: str) -> None:
    """Let the user with this EMAIL act for an account too; they switch between their accounts on the pages."""
    with transaction():
        add_member(get_account(parse_id("acc", account_id)).id, email)
    click.echo(f"{email} may act for {account_id}.")


@account.command("drop-second-factor")
@click.argument("email")
@with_app
def without_second_factor(email: str) -> None:
    """Take the second factor and the recovery codes from the user with this EMAIL, who has lost both."""
    with transaction():
        drop_second_factor(email)
    click.echo(f"{email} signs in with the password alone.")


def credit_by_hand(account_id: str, amount: str, currency: str, reason: str) -> dict[str, str]:
    """Credit a buyer's wallet; Invalid for an unusable amount, NotFound when there is no such buyer."""
    money = money_of(amount, currency)
    with transaction():
        buyer = get_account(parse_id("acc", account_id), "buyer")
        key = str(uuid4())
        posting = credit_wallet(buyer.id, money, key, reason, COMMAND_LINE, business_clock().now())
    if not posting.is_booked:
        raise Invalid(f"refused_{posting.code}", f"The ledger refused the credit: {posting.code}.")
    return {"account_id": account_id, **money.as_json(), "key": f"credit:{key}", "state": posting.state}


def money_of(amount: str, currency: str) -> Money:
    """Read an amount as it is typed; Invalid when it is none."""
    try:
        return Money.parse(amount, currency)
    except ValueError as wrong:
        raise Invalid("bad_amount", "Nothing was booked.", [Fault("amount", "bad_amount", f"{wrong}.")]) from wrong
