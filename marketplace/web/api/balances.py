"""What a buyer has to spend and a publisher has earned."""

from flask import request

from affiliates import earnings_in
from billing import owing_of, wallet_of
from core.errors import Fault, Malformed
from core.http import Answer, business_clock, reads
from core.identity import Actor
from core.money import is_currency
from marketplace.leads.queries import pending_of
from marketplace.reports.pending import held_part, pending_weeks
from marketplace.web.api import answers, api, shown, shown_pending
from marketplace.web.api import answers_pending as answers_held
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


@api.get("/balance/pending")
@reads("balance:read")
@describe(answers_held.PendingShown, query=(CURRENCY, Query("cursor", "The next_cursor of the part before.")))
def show_pending(actor: Actor) -> Answer:
    """Show what is held for the publisher, line by line and by week: why, and the day it is released."""
    currency = asked_currency()
    part = held_part(actor.account_id, currency, business_clock().now(), request.args.get("cursor"))
    return Answer(shown_pending.pending(pending_weeks(currency, actor.account_id), part, currency))


def asked_currency() -> str:
    """Return the currency that the query asks for, EUR without one; Malformed for one that is none."""
    code = request.args.get("currency", "EUR")
    if not is_currency(code):
        fault = Fault("currency", "unknown_currency", "Send a traded currency, such as EUR.")
        raise Malformed("bad_filter", "This cannot be shown.", [fault])
    return code
