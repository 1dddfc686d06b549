"""A buyer's wallet over HTTP, for operators: promotional credit, suspending and readmitting."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

from msgspec import Struct

from billing import PromoGrant, ask_promo, grants_of
from core.http import Answer, body, business_clock, created, reads, writes
from core.identity import Actor, get_account
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.wallet_standing import STANDINGS, set_wallet_standing
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import describe
from marketplace.web.api.shown import amount, instant, instant_or_none
from marketplace.web.api.top_ups import money_of
from marketplace.web.chrome import CURRENCY


class PromoAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much is given, and why; the same key again is the same grant."""

    amount: Amount
    reason: str
    key: str | None = None


class PromoShown(Struct, frozen=True, kw_only=True):
    """Promotional credit; `waiting` until a second operator, who is a person, agrees to it on the page."""

    id: str
    account_id: str
    amount: Amount
    reason: str
    state: Annotated[str, one_of(("waiting", "granted", "refused"))]
    asked_at: datetime
    decided_at: datetime | None


class WalletStandingAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a wallet stands from now on, and why."""

    standing: Annotated[str, one_of(STANDINGS)]
    note: str
    currency: str = CURRENCY


class WalletStandingShown(Struct, frozen=True, kw_only=True):
    """How a wallet stands now."""

    account_id: str
    currency: str
    standing: Annotated[str, one_of(STANDINGS)]


@api.post("/buyers/<buyer_id>/promotional-credits")
@writes("operate")
@describe(PromoShown, takes=PromoAsked, status=201)
def post_promo(actor: Actor, buyer_id: str) -> Answer:
    """Give promotional credit; above the limit of a day it is refused, as people ask for it on the page."""
    asked, at = body(PromoAsked), business_clock().now()
    buyer = get_account(parse_id("acc", buyer_id), "buyer")
    key = f"api:{actor.account_id}:{asked.key or uuid4()}"
    return created(_shown(ask_promo(buyer.id, money_of(asked.amount), key, asked.reason, actor.name, at)))


@api.get("/buyers/<buyer_id>/promotional-credits")
@reads("operate")
@describe(PromoShown, is_list=True)
def list_promo(_: Actor, buyer_id: str) -> Answer:
    """List the newest of a buyer's promotional credit in euros."""
    buyer = get_account(parse_id("acc", buyer_id), "buyer")
    return Answer({"items": [_shown(one) for one in grants_of(buyer.id, CURRENCY)], "next_cursor": None})


@api.post("/buyers/<buyer_id>/wallet-standing")
@writes("operate")
@describe(WalletStandingShown, takes=WalletStandingAsked)
def post_standing(actor: Actor, buyer_id: str) -> Answer:
    """Suspend a buyer's wallet to new purchases, or readmit it."""
    asked, at = body(WalletStandingAsked), business_clock().now()
    account_id = parse_id("acc", buyer_id)
    set_wallet_standing(account_id, asked.currency, asked.standing, asked.note, actor.name, at)
    return Answer(WalletStandingShown(account_id=buyer_id, currency=asked.currency, standing=asked.standing))


def _shown(one: PromoGrant) -> PromoShown:
    return PromoShown(
        id=show_id("prm", one.id), account_id=show_id("acc", one.account_id),
        amount=amount(one.amount_minor, one.currency), reason=one.reason, state=one.state,
        asked_at=instant(one.asked_at), decided_at=instant_or_none(one.decided_at),
    )  # fmt: skip
