"""Deals: a publisher accepts part of a brief's volume, which becomes an order that buys from him alone."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import or_, select

from affiliates import get_publisher
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.outbox import announce
from marketplace.deals.briefs import body_of_brief, get_brief
from marketplace.deals.models import Brief, Deal
from marketplace.deals.stages import ACTIVE, CANCELLED, FULL, OPEN, move
from marketplace.leads.models import Event
from marketplace.orders.models import Order, OrderCounters
from marketplace.orders.standing import place_order, say_order
from marketplace.orders.terms import CapsBody, DealTerms, OrderBody, decode_terms, limits_in, weekday_in


def accept_brief(publisher_id: UUID, brief_id: UUID, leads: int | None, actor: str, at: datetime) -> Deal:
    """Promise so many leads of a brief, all that is left without a number; they are bought from the commit on.

    NotFound for a brief that is not for this publisher; Conflict `brief_closed` when it takes nobody any more,
    `publisher_paused` when the publisher's leads are not taken, `deal_exists` when a deal of his with it runs; Invalid
    `invalid_deal` for more than is left.
    """
    brief = get_brief(brief_id, lock=True)
    if brief.publishers and publisher_id not in brief.publishers:
        raise NotFound(detail="There is no brief with this id.")
    if get_publisher(publisher_id).standing != "active":
        raise Conflict(
            "publisher_paused", "Your leads are not taken now, so nothing can be promised: ask an operator why."
        )
    if brief.state != OPEN or brief.ends_at <= at:
        raise Conflict("brief_closed", f"This brief is {brief.state if brief.state != OPEN else 'over'}.")
    running = select(Deal.id).where(Deal.brief_id == brief_id, Deal.publisher_id == publisher_id, Deal.state == ACTIVE)
    if db.session.scalar(running) is not None:
        raise Conflict("deal_exists", "You have a deal with this brief: take more once that one is full or cancelled.")
    left = brief.volume - brief.taken
    wanted = left if leads is None else leads
    if not 1 <= wanted <= left:
        fault = Fault("leads", "out_of_range", f"Promise 1 to {left} leads: that is what is left of the brief.")
        raise Invalid("invalid_deal", "Nothing was agreed.", [fault])
    return _deal(brief, publisher_id, wanted, actor, at)


def cancel_deal(account_id: UUID, deal_id: UUID, actor: str, at: datetime, why: str) -> Deal:
    """End a deal by either side for every lead posted from the commit on; what it has not bought goes to the brief.

    Conflict `not_now` when it has ended already.
    """
    deal = get_deal(account_id, deal_id)
    end_deal(deal, CANCELLED, actor, at, why)
    return deal


def get_deal(account_id: UUID, deal_id: UUID) -> Deal:
    """Return a deal of which the account is one side; NotFound for anybody else's."""
    sides = or_(Deal.publisher_id == account_id, Deal.buyer_id == account_id)
    deal = db.session.scalar(select(Deal).where(Deal.id == deal_id, sides))
    if deal is None:
        raise NotFound(detail="There is no deal with this id.")
    return deal


def deals_of(account_id: UUID, after: UUID | None, limit: int) -> list[Deal]:
    """Return the deals of which the account is one side, the newest first."""
    sides = or_(Deal.publisher_id == account_id, Deal.buyer_id == account_id)
    query = select(Deal).where(sides).order_by(Deal.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Deal.id < after) if after else query))


def bought_of(deals: list[Deal]) -> dict[UUID, int]:
    """Return how many leads each of these deals has bought."""
    counters = select(OrderCounters.order_id, OrderCounters.total_leads)
    rows = db.session.execute(counters.where(OrderCounters.order_id.in_([deal.order_id for deal in deals])))
    by_order = {row.order_id: row.total_leads for row in rows}
    return {deal.id: by_order[deal.order_id] for deal in deals}


def end_deal(deal: Deal, after: str, actor: str, at: datetime, why: str) -> None:
    """End a deal and close its order; the brief gets back what was not bought, and is open again if it was full.

    Locks are taken in the order brief, deal, order, counters, whoever ends it.
    """
    brief = get_brief(deal.brief_id, lock=True)
    db.session.refresh(deal, with_for_update=True)
    if not move(deal, after, actor, at, why):
        raise Conflict("not_now", f"The deal is {deal.state} already.")
    order = db.session.get_one(Order, deal.order_id, with_for_update=True, populate_existing=True)
    say_order(order, msgspec.structs.replace(decode_terms(order.terms), status="closed"), actor, at)
    counters = db.session.get_one(OrderCounters, order.id, with_for_update=True, populate_existing=True)
    counters.zone_version = order.version  # who still sells by the version before is refused, and asks the new book
    brief.taken -= max(deal.volume - counters.total_leads, 0)
    if brief.state == FULL and brief.taken < brief.volume:
        move(brief, OPEN, actor, at, "a deal gave leads back")
    db.session.flush()
    _tell(deal, f"deal.{after}", at)


def _deal(brief: Brief, publisher_id: UUID, leads: int, actor: str, at: datetime) -> Deal:
    deal_id, starts_at = new_id(), max(brief.starts_at, at)
    terms = DealTerms(deal_id, publisher_id, starts_at, brief.ends_at)
    order = _order_of(brief, leads, terms, actor, at)
    deal = Deal(
        id=deal_id, brief_id=brief.id, publisher_id=publisher_id, buyer_id=brief.buyer_id, order_id=order.id,
        state=ACTIVE, volume=leads, starts_at=starts_at, ends_at=brief.ends_at, accepted_at=at,
    )  # fmt: skip
    db.session.add_all([deal, Event(subject_id=deal_id, at=at, move=f"new>{ACTIVE}", actor=actor)])
    brief.taken += leads
    if brief.taken == brief.volume:
        move(brief, FULL, actor, at)
    db.session.flush()
    _tell(deal, "deal.accepted", at)
    return deal


def _order_of(brief: Brief, leads: int, terms: DealTerms, actor: str, at: datetime) -> Order:
    """Place a deal's order; Conflict `brief_closed` when the vertical has changed so that nobody could place it now."""
    try:
        return place_order(brief.buyer_id, _capped(body_of_brief(brief), leads), actor, at, deal=terms)
    except Invalid as refused:
        why = " ".join(fault.message for fault in refused.faults)
        raise Conflict(
            "brief_closed", f"Its buyer has to post it anew, since the vertical has changed: {why}"
        ) from None


def _capped(body: OrderBody, leads: int) -> OrderBody:
    """Return a deal's order: the brief's, with the promised leads as its cap in all."""
    caps = limits_in(body.caps)
    most = min(leads, caps.get("total", leads))
    return msgspec.structs.replace(
        body, caps=CapsBody(**caps | {"total": most}, weekday=weekday_in(body.caps) or UNSET)
    )


def _tell(deal: Deal, event: str, at: datetime) -> None:
    data = {"deal": str(deal.id), "order": str(deal.order_id), "leads": deal.volume}
    accounts = [str(deal.publisher_id), str(deal.buyer_id)]
    announce("notice", {"event": event, "at": at.isoformat(), "accounts": accounts, "data": data})
