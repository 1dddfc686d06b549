"""Paying into a wallet by bank transfer over HTTP: pro-formas asked for, listed and cancelled."""

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from billing import BankAccount, ProForma, ask_pro_forma, cancel_pro_forma, get_pro_forma, payable_pro_formas_of
from core.http import Answer, body, business_clock, created, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import describe
from marketplace.web.api.shown import amount, instant, instant_or_none
from marketplace.web.api.top_ups import AmountAsked, money_of

STATES = ("open", "partly", "paid", "over", "cancelled")


class PayeeShown(Struct, frozen=True, kw_only=True):
    """Where to transfer to."""

    name: str
    iban: str
    bic: str


class ProFormaShown(Struct, frozen=True, kw_only=True):
    """Money that is to be transferred to `payee` under `reference`, and what came of it; it never expires.

    What comes is in the wallet as it comes, whatever was asked for, and after it was cancelled too.
    """

    id: str
    state: Annotated[str, one_of(STATES)]
    amount: Amount
    received: Amount
    reference: str
    payee: PayeeShown
    asked_at: datetime
    cancelled_at: datetime | None


@api.post("/wallet/pro-formas")
@writes("wallet:write")
@describe(ProFormaShown, takes=AmountAsked, status=201)
def post_pro_forma(actor: Actor) -> Answer:
    """Ask for a reference under which an amount can be transferred."""
    asked, at = money_of(body(AmountAsked).amount), business_clock().now()
    row = ask_pro_forma(actor.account_id, asked, actor.name, at)
    return created(_shown(*get_pro_forma(actor.account_id, row.id)))


@api.get("/wallet/pro-formas")
@reads("wallet:read")
@describe(ProFormaShown, is_list=True)
def list_pro_formas(actor: Actor) -> Answer:
    """List the newest fifty pro-formas."""
    rows = payable_pro_formas_of(actor.account_id)
    return Answer({"items": [_shown(row, bank) for row, bank in rows], "next_cursor": None})


@api.get("/wallet/pro-formas/<pro_forma_id>")
@reads("wallet:read")
@describe(ProFormaShown)
def show_pro_forma(actor: Actor, pro_forma_id: str) -> Answer:
    """Show one pro-forma with what came of it."""
    return Answer(_shown(*get_pro_forma(actor.account_id, parse_id("pro", pro_forma_id))))


@api.post("/wallet/pro-formas/<pro_forma_id>/cancel")
@writes("wallet:write")
@describe(ProFormaShown)
def post_cancel_pro_forma(actor: Actor, pro_forma_id: str) -> Answer:
    """Say that a pro-forma is not to be paid; the same again changes nothing."""
    row_id = parse_id("pro", pro_forma_id)
    cancel_pro_forma(actor.account_id, row_id, business_clock().now())
    return Answer(_shown(*get_pro_forma(actor.account_id, row_id)))


def _shown(row: ProForma, bank: BankAccount) -> ProFormaShown:
    return ProFormaShown(
        id=show_id("pro", row.id), state=row.state, amount=amount(row.amount_minor, row.currency),
        received=amount(row.received_minor, row.currency), reference=row.reference,
        payee=PayeeShown(name=bank.payee, iban=bank.iban, bic=bank.bic), asked_at=instant(row.asked_at),
        cancelled_at=instant_or_none(row.cancelled_at),
    )  # fmt: skip
