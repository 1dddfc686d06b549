"""What a buyer has to spend and a publisher has earned."""

from flask import request

from affiliates import earnings_in
from billing import owing_of, wallet_of
from core.errors import Fault, Malformed
from core.http import Answer, business_clock, reads
from core.identity import Actor
from core.money import is_currency
from marketplace.leads.queries import pending_of
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import Query, describe

CURRENCY = Query("currency", "An ISO 4217 code; EUR without it.")


@api.get("/wallet")
@reads("wallet:read")
@describe(answers.WalletShown, query=(CURRENCY,))
def show_wallet(actor: Actor) -> Answer:
    """Show the buyer's wallet in one currency, zeros when it never moved money."""
    currency, at = asked_currency(), business_clock().now()
    owing = owing_of([actor.account_id], currency, at)[actor.account_id]
    return Answer(shown.wallet(wallet_of(actor.account_id, currency), owing))


@api.get("/balance")
@reads("balance:read")
@describe(answers.BalanceShown, query=(CURRENCY,))
def show_balance(actor: Actor) -> Answer:
    """Show what the publisher has: pending, payable, in reserve, and paid or on its way."""
    currency = asked_currency()
    return Answer(shown.balance(earnings_in(actor.account_id, currency), pending_of(actor.account_id, currency)))


def asked_currency() -> str:
    """Return the currency that the query asks for, EUR without one; Malformed for one that is none."""
    code = request.args.get("currency", "EUR")
    if not is_currency(code):
        fault = Fault("currency", "unknown_currency", "Send a traded currency, such as EUR.")
        raise Malformed("bad_filter", "This cannot be shown.", [fault])
    return code
