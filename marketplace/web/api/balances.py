"""What a buyer has to spend and a publisher has earned."""

from flask import request

from affiliates import earnings_in
from billing import wallet_of
from core.errors import Fault, Malformed
from core.http import Answer, reads
from core.identity import Actor
from core.money import is_currency
from marketplace.leads.queries import pending_of
from marketplace.web.api import api, shown


@api.get("/wallet")
@reads("wallet:read")
def show_wallet(actor: Actor) -> Answer:
    """Show the buyer's wallet in one currency, zeros when it never moved money."""
    wallet = wallet_of(actor.account_id, _currency())
    parts = {"available": wallet.available, "held": wallet.held, "frozen": wallet.frozen, "promo": wallet.promo}
    suspended = {"suspended_at": shown.instant(wallet.suspended_at)}
    return Answer({name: money.as_json() for name, money in parts.items()} | suspended)


@api.get("/balance")
@reads("balance:read")
def show_balance(actor: Actor) -> Answer:
    """Show what the publisher has: pending, payable, in reserve, and paid or on its way."""
    currency = _currency()
    earned, pending = earnings_in(actor.account_id, currency), pending_of(actor.account_id, currency)
    parts = {"payable": earned.payable, "reserve": earned.reserve, "paid": earned.paid, "owed": earned.owed}
    return Answer(
        {"pending": shown.amount(pending.amount_minor, currency)}
        | {name: money.as_json() for name, money in parts.items()}
        | {"pending_sales": pending.sales, "next_release_at": shown.instant(pending.next_release_at)}
    )


def _currency() -> str:
    code = request.args.get("currency", "EUR")
    if not is_currency(code):
        fault = Fault("currency", "unknown_currency", "Send a traded currency, such as EUR.")
        raise Malformed("bad_filter", "This cannot be shown.", [fault])
    return code
