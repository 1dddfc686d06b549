"""Saved cards and automatic top-ups over HTTP: a card is saved on a page, a wallet is told when to fill itself."""

from datetime import datetime
from uuid import UUID

from flask import request
from msgspec import Struct

from billing import (
    CardPage,
    Choice,
    RechargeNote,
    RechargeWish,
    SavedCard,
    Typed,
    cards_of,
    choose_recharge,
    demand_currency,
    get_card_page,
    notes_of,
    recharge_of,
    recharges_of,
    remove_card,
    resume_recharge,
    start_card_page,
)
from core.errors import Malformed, NotFound
from core.http import Answer, body, business_clock, calls_out, created, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.web.api import api
from marketplace.web.api.described import describe
from marketplace.web.api.shown import amount, instant, instant_or_none
from marketplace.web.card_ways import ways_to_cards

NOBODYS = UUID(int=0)


class CardShown(Struct, frozen=True, kw_only=True):
    """A saved card; the exchange never sees its number."""

    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    saved_at: datetime


class CardPageAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """In which currency the card is going to pay."""

    currency: str = "EUR"


class CardPageShown(Struct, frozen=True, kw_only=True):
    """A page on which a card is saved: `opening`, `open`, then `saved`, `expired` or `refused`."""

    id: str
    state: str
    page_url: str | None
    card: str | None
    opened_at: datetime
    ended_at: datetime | None


class RechargeAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Charge the card below `threshold`, by `amount` or up to `target`; what is left out goes by the wallet's pace.

    Without a `threshold` that is one day of spending, with neither `amount` nor `target` up to three; without a `card`
    the newest saved one.
    """

    on: bool
    daily_limit: Amount | None = None
    threshold: Amount | None = None
    amount: Amount | None = None
    target: Amount | None = None
    card: str | None = None


class RechargeShown(Struct, frozen=True, kw_only=True):
    """An automatic top-up: what was asked for, and `now`, a code for what would be done at this moment.

    `below` is the threshold that holds, `would_charge` what it then takes. Where it is `paused`, `pay_first` is the
    amount that the card's bank wants to be paid on a payment page.
    """

    currency: str
    version: int
    on: bool
    threshold: Amount | None
    amount: Amount | None
    target: Amount | None
    daily_limit: Amount
    card: str | None
    below: Amount
    would_charge: Amount
    charged_today: Amount
    now: str
    paused: str | None
    pay_first: Amount | None
    not_before: datetime | None


class RechargeNoteShown(Struct, frozen=True, kw_only=True):
    """What became of an automatic top-up, and why."""

    at: datetime
    code: str
    says: str
    amount: Amount | None
    top_up: str | None


@api.get("/wallet/cards")
@reads("wallet:read")
@describe(CardShown, is_list=True)
def list_cards(actor: Actor) -> Answer:
    """List the saved cards, the newest first."""
    return Answer({"items": [_card(each) for each in cards_of(actor.account_id)], "next_cursor": None})


@api.post("/wallet/card-pages")
@calls_out("wallet:write")
@describe(CardPageShown, takes=CardPageAsked, status=201)
def post_card_page(actor: Actor) -> Answer:
    """Open a page on which a card is saved without paying."""
    currency = body(CardPageAsked).currency
    demand_currency(currency)
    ways = ways_to_cards()
    page = start_card_page(actor.account_id, currency, ways, actor.name, business_clock().now())
    return created(_page(page))


@api.get("/wallet/card-pages/<page_id>")
@reads("wallet:read")
@describe(CardPageShown)
def show_card_page(actor: Actor, page_id: str) -> Answer:
    """Show what became of a page for saving a card."""
    return Answer(_page(get_card_page(actor.account_id, parse_id("cpg", page_id))))


@api.delete("/wallet/cards/<card_id>")
@writes("wallet:write")
@describe(CardShown)
def delete_card(actor: Actor, card_id: str) -> Answer:
    """Remove a saved card: it is never charged again."""
    card = remove_card(actor.account_id, parse_id("card", card_id), actor.name, business_clock().now())
    return Answer(_card(card))


@api.get("/wallet/recharges")
@reads("wallet:read")
@describe(RechargeShown, is_list=True)
def list_recharges(actor: Actor) -> Answer:
    """List the automatic top-ups, one a currency."""
    found = recharges_of(actor.account_id, business_clock().now())
    return Answer({"items": [_recharge(each) for each in found], "next_cursor": None})


@api.get("/wallet/recharges/<currency>")
@reads("wallet:read")
@describe(RechargeShown)
def show_recharge(actor: Actor, currency: str) -> Answer:
    """Show one wallet's automatic top-up, with its version as ETag; at version 0 it was never set up."""
    return _versioned(recharge_of(actor.account_id, currency, business_clock().now()))


@api.put("/wallet/recharges/<currency>")
@writes("wallet:write")
@describe(RechargeShown, takes=RechargeAsked, versioned=True)
def put_recharge(actor: Actor, currency: str) -> Answer:
    """Say when and by how much a wallet tops itself up."""
    asked, at = body(RechargeAsked), business_clock().now()
    wish = RechargeWish(
        asked.on, *(_typed(each) for each in (asked.threshold, asked.amount, asked.target, asked.daily_limit))
    )
    card_id = _card_id(asked.card)
    return _versioned(choose_recharge(actor.account_id, currency, wish, card_id, actor.name, at, _if_version()))


@api.post("/wallet/recharges/<currency>/resume")
@writes("wallet:write")
@describe(RechargeShown)
def post_resume(actor: Actor, currency: str) -> Answer:
    """Have a card that was declined be tried again."""
    return _versioned(resume_recharge(actor.account_id, currency, actor.name, business_clock().now()))


@api.get("/wallet/recharges/<currency>/log")
@reads("wallet:read")
@describe(RechargeNoteShown, is_list=True)
def list_notes(actor: Actor, currency: str) -> Answer:
    """List the newest fifty things that became of a wallet's automatic top-ups."""
    demand_currency(currency)
    return Answer({"items": [_note(each) for each in notes_of(actor.account_id, currency)], "next_cursor": None})


def _typed(asked: Amount | None) -> Typed | None:
    return Typed(asked.amount, asked.currency) if asked else None


def _card_id(asked: str | None) -> UUID | None:
    """Read a card's id; one that cannot exist is nobody's, and told at its field as any other."""
    try:
        return parse_id("card", asked) if asked else None
    except NotFound:
        return NOBODYS


def _if_version() -> int | None:
    text = request.headers.get("If-Match")
    if text is None or text == "*":
        return None
    version = text.strip('"')
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Malformed("bad_if_match", "Send the ETag that GET gave for this wallet.")
    return int(version)


def _versioned(choice: Choice) -> Answer:
    return Answer(_recharge(choice), headers={"ETag": f'"{choice.version}"'})


def _card(card: SavedCard) -> CardShown:
    return CardShown(id=show_id("card", card.id), brand=card.brand, last4=card.last4, exp_month=card.exp_month,
                     exp_year=card.exp_year, saved_at=instant(card.saved_at))  # fmt: skip


def _page(page: CardPage) -> CardPageShown:
    return CardPageShown(
        id=show_id("cpg", page.id), state=page.state, page_url=page.page_url if page.state == "open" else None,
        card=show_id("card", page.card_id) if page.card_id else None, opened_at=instant(page.opened_at),
        ended_at=instant_or_none(page.ended_at),
    )  # fmt: skip


def _recharge(choice: Choice) -> RechargeShown:
    terms, seen, currency = choice.outlook.terms, choice.outlook, choice.currency

    def shown(minor: int | None) -> Amount | None:
        return None if minor is None else amount(minor, currency)

    return RechargeShown(
        currency=currency, version=choice.version, on=terms.is_on, threshold=shown(terms.threshold_minor),
        amount=shown(terms.amount_minor), target=shown(terms.target_minor),
        daily_limit=amount(terms.daily_most_minor, currency), card=show_id("card", seen.card.id) if seen.card else None,
        below=amount(seen.threshold_minor, currency), would_charge=amount(seen.next_minor, currency),
        charged_today=amount(seen.standing.charged_today_minor, currency), now=seen.decision.code,
        paused=choice.paused_why, pay_first=shown(choice.asked_minor), not_before=instant_or_none(choice.not_before),
    )  # fmt: skip


def _note(row: RechargeNote) -> RechargeNoteShown:
    money = None if row.amount_minor is None else amount(row.amount_minor, row.currency)
    return RechargeNoteShown(at=instant(row.at), code=row.code, says=row.says, amount=money,
                             top_up=show_id("top", row.top_up_id) if row.top_up_id else None)  # fmt: skip
