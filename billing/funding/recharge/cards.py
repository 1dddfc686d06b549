"""Saved cards: kept once the processor says that they are its customer's, removed for good by their owner."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, union
from sqlalchemy.dialects.postgresql import insert

from billing.funding.calls import write_call
from billing.funding.models import CardCustomer, TopUp
from billing.funding.page_cap import demand_page
from billing.funding.recharge.charging import withdraw_charges
from billing.funding.recharge.models import CardPage, SavedCard
from billing.funding.recharge.pauses import held_up, resume_if_free
from billing.funding.recharge.payer import lock_payer
from billing.funding.top_ups import Ways, remember_customer
from billing.stripe_gateway import Card, Checkout
from core.db import db
from core.errors import Conflict, NotFound
from core.ids import new_id

ACTOR = "system:cards"


def order_card_page(account_id: UUID, ways: Ways, currency: str, actor: str, at: datetime) -> tuple[UUID, UUID]:
    """Ask for a page on which a card is saved without paying; return its id and that of the call that opens it.

    TooMany once the account has opened as many pages within a day as it may.
    """
    lock_payer(account_id)
    demand_page(account_id, at)
    page = CardPage(id=new_id(), account_id=account_id, actor=actor, opened_at=at)
    db.session.add(page)
    db.session.flush()
    customer = db.session.get(CardCustomer, account_id)
    whose = {"customer": customer.customer_id} if customer else {"customer_creation": "always"}
    payload: dict[str, Any] = {
        "mode": "setup", "currency": currency.lower(), "success_url": ways.paid, "cancel_url": ways.left,
        "metadata": {"leadbourse": str(page.id)}, **whose,
    }  # fmt: skip
    return page.id, write_call("open_card_page", page.id, payload, is_in_hand=True)


def record_card_page(page_id: UUID, checkout: Checkout | None, why: str | None) -> None:
    """Note the page that was opened, or why none was."""
    page = db.session.get_one(CardPage, page_id, with_for_update=True, populate_existing=True)
    if page.state != "opening":
        return
    if checkout is None:
        page.state, page.why, page.ended_at = "refused", why, datetime.now(UTC)
        if (why or "").startswith("resource_missing"):  # the customer is gone there, and would be refused for ever
            db.session.execute(delete(CardCustomer).where(CardCustomer.account_id == page.account_id))
        return
    page.state, page.session_id, page.page_url = "open", checkout.id, checkout.url


def end_card_page(checkout: Checkout, card: Card | None, at: datetime) -> str:
    """Keep the card that was saved on a page of ours, or end the page when it has expired; return what it came to."""
    page = _page_of(checkout.reference)
    if page is None:
        return "unknown"
    if card is not None:
        return _end_saved(page, card, at)
    if checkout.state == "expired" and page.state in ("opening", "open"):
        page.state, page.ended_at = "expired", at
        return "expired"
    return "nothing_to_do"


def keep_card(account_id: UUID, card: Card, at: datetime) -> SavedCard | None:
    """Keep a card once, whatever tells of it how often; a new one is charged whatever another was declined for.

    None for a card that is no customer's any more, or that of another account's customer. One that its owner has
    removed stays removed.
    """
    if card.customer_id is None or _is_of_another(account_id, card.id, card.customer_id):
        return None
    waiting = held_up(account_id, at)
    row = {
        "id": new_id(), "account_id": account_id, "customer_id": card.customer_id, "method_id": card.id,
        "brand": card.brand, "last4": card.last4, "exp_month": card.exp_month, "exp_year": card.exp_year,
        "saved_at": at, "fingerprint": card.fingerprint,
    }  # fmt: skip
    is_new = db.session.execute(insert(SavedCard).values(row).on_conflict_do_nothing().returning(SavedCard.id)).first()
    remember_customer(account_id, card.customer_id)
    for wallet in waiting if is_new is not None else []:
        wallet.asked_minor = None
        db.session.flush()
        resume_if_free(wallet, True, "A new card was saved.", ACTOR, at)
    return db.session.scalars(select(SavedCard).where(SavedCard.method_id == card.id)).one()


def is_card_known(method_id: str) -> bool:
    """Tell whether a card was kept before, also if it was removed since."""
    return db.session.scalar(select(SavedCard.id).where(SavedCard.method_id == method_id)) is not None


def note_card(card: Card, at: datetime) -> str:
    """Note what the processor says of a card of ours: a new date of expiry, or that it is gone."""
    kept = db.session.scalar(select(SavedCard).where(SavedCard.method_id == card.id).with_for_update())
    if kept is None:
        return "unknown"
    kept.brand, kept.last4, kept.exp_month, kept.exp_year = card.brand, card.last4, card.exp_month, card.exp_year
    kept.fingerprint = card.fingerprint or kept.fingerprint
    if card.customer_id is None and kept.removed_at is None:
        kept.removed_at, kept.removed_by = at, ACTOR
    return "gone" if kept.removed_at else "noted"


def remove_card(account_id: UUID, card_id: UUID, actor: str, at: datetime) -> SavedCard:
    """Charge a card never again from the commit on, and write the call that has the processor forget it; once.

    What was ordered of it and not sent is withdrawn. NotFound for anybody else's, Conflict `card_in_use` while it is
    being charged.
    """
    lock_payer(account_id)
    card = db.session.get(SavedCard, card_id, with_for_update=True, populate_existing=True)
    if card is None or card.account_id != account_id:
        raise NotFound(detail="There is no saved card of yours with this id.")
    withdraw_charges(TopUp.card_id == card_id, code="card_removed", at=at)
    if db.session.scalar(select(TopUp.id).where(TopUp.card_id == card_id, TopUp.state == "opening").limit(1)):
        raise Conflict("card_in_use", "This card is being charged at this moment. Try again in a minute.")
    if card.removed_at is None:
        card.removed_at, card.removed_by = at, actor
        write_call("forget_card", card.id, {"method": card.method_id})
    return card


def method_of(card_id: UUID) -> str:
    """Return what the processor calls a card."""
    return db.session.get_one(SavedCard, card_id).method_id


def get_card_page(account_id: UUID, page_id: UUID) -> CardPage:
    """Return an account's page for saving a card; NotFound for anybody else's."""
    page = db.session.get(CardPage, page_id, populate_existing=True)
    if page is None or page.account_id != account_id:
        raise NotFound(detail="There is no page of yours with this id.")
    return page


def latest_card_page(account_id: UUID) -> CardPage | None:
    """Return the page on which an account last wanted to save a card."""
    query = select(CardPage).where(CardPage.account_id == account_id)
    return db.session.scalar(query.order_by(CardPage.opened_at.desc(), CardPage.id.desc()).limit(1))


def _end_saved(page: CardPage, card: Card, at: datetime) -> str:
    kept = keep_card(page.account_id, card, at)
    if page.state == "saved":
        return "saved" if kept is not None else "not_kept"
    if kept is None and card.customer_id is not None:
        page.state, page.why, page.ended_at = "refused", "other_customer: The card is another account's.", at
    elif kept is not None:
        page.state, page.card_id, page.ended_at = "saved", kept.id, at
    db.session.flush()
    return "saved" if kept is not None else "not_kept"


def _is_of_another(account_id: UUID, method_id: str, customer_id: str) -> bool:
    """Tell whether a card, or the customer that it belongs to, is known as another account's."""
    as_customer = select(CardCustomer.account_id).where(CardCustomer.customer_id == customer_id)
    as_card = select(SavedCard.account_id).where(
        or_(SavedCard.customer_id == customer_id, SavedCard.method_id == method_id)
    )
    return any(owner != account_id for owner in db.session.scalars(union(as_customer, as_card)))


def _page_of(reference: str | None) -> CardPage | None:
    try:
        page_id = UUID(reference or "")
    except ValueError:
        return None
    return db.session.get(CardPage, page_id, with_for_update=True, populate_existing=True)
