"""The next buyer: a lead whose sale came to nothing is sold to the best order that is left, or is unsold in the end."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import delete, select, text

from core.db import db
from core.outbox import announce
from marketplace.catalog.models import VerticalRow
from marketplace.leads.again.models import FurtherSale
from marketplace.leads.auction import BEST_PRICE, EXCLUSIVE_ONLY, FIRST, SHARED_ONLY
from marketplace.leads.books import LiveVertical
from marketplace.leads.desk import desk
from marketplace.leads.events import move
from marketplace.leads.intake import EVERYBODY
from marketplace.leads.matching import LeadFacts, Listed
from marketplace.leads.models import Lead, PersonKey, Sale
from marketplace.leads.offers import offer_of, rules_of
from marketplace.leads.recognised import keys_of
from marketplace.leads.suppression.keeping_away import kept_away_now
from marketplace.leads.why import facts_of_stored
from marketplace.orders.models import OrderVersion
from marketplace.orders.terms import MAX_SHARE, OrderTerms, decode_terms

BATCH = 32
OVER = ("refused", "failed")
_SELL_AGAIN = (
    "SELECT marketplace.sell_again(%s,"
    " ROW(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)::marketplace.offer,"
    " ROW(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)::marketplace.rules, %s, %s)"
)

_LOOK_AGAIN = text("UPDATE marketplace.kept_leads SET due_at = :at WHERE lead_id = :lead AND state = 'open'")


class Behind(Exception):
    """An order counts in a later period than this instant's already: ask again by a clock that has caught up."""


def pass_on(lead: Lead, actor: str, at: datetime, lease: timedelta | None = None) -> UUID | None:
    """Sell a lead to its next buyer and return the sale's id; None when nobody is left.

    The caller holds the lead's lock and has ended the sale before; with a lease he has the delivery to a sync order in
    hand. A lead that nobody has in the end is unsold, and its person may be sold by whoever sends them next. Behind
    when it cannot be told yet; nothing is done then. A lead that was sold by a further offer goes to no fresh order: it
    is looked at anew (`marketplace.leads.again`).
    """
    sales = list(db.session.scalars(select(Sale).where(Sale.lead_id == lead.id)))
    again = set(db.session.scalars(select(FurtherSale.sale_id).where(FurtherSale.lead_id == lead.id)))
    sold = None if again else _sell(lead, sales, actor, at, lease)
    if sold is not None and not _terms_of(sale := db.session.get_one(Sale, sold)).is_sync:
        tell_sold(lead, sale, actor, at)
    if again:
        db.session.execute(_LOOK_AGAIN, {"lead": lead.id, "at": at})
    if sold is None and all(sale.state in OVER for sale in sales):
        move(lead, "unsold", actor, at, "no buyer took it")
        db.session.execute(delete(PersonKey).where(PersonKey.lead_id == lead.id, PersonKey.key.in_(keys_of(lead))))
        announce("notice", {"event": "lead.unsold", "at": at.isoformat(), "accounts": [str(lead.publisher_id)],
                            "data": {"lead": str(lead.id), "reasons": []}})  # fmt: skip
    return sold


def tell_sold(lead: Lead, sale: Sale, actor: str, at: datetime) -> None:
    """Let a lead that was pending be sold, by this sale, and say so; any other stays as it is.

    The caller holds the lead's lock when it is pending.
    """
    if lead.status == "pending":
        move(lead, "sold", actor, at)
        announce("notice", {"event": "lead.sold", "at": at.isoformat(),
                            "accounts": [str(lead.publisher_id), str(sale.buyer_id)],
                            "data": {"lead": str(lead.id), "reasons": []}})  # fmt: skip


def _sell(lead: Lead, sales: list[Sale], actor: str, at: datetime, lease: timedelta | None) -> UUID | None:
    slug = db.session.get_one(VerticalRow, lead.vertical_id).slug
    books = desk().intake.books
    live = books.find(slug)
    while live is not None:
        known = kept_away_now(lead.id, keys_of(lead), live.suppressing, at) if live.suppressing else None
        facts = facts_of_stored(lead, desk().vault, live.vertical, known)
        outcome, sale = _offer(lead, live, facts, sales, actor, at, lease)
        if outcome != "stale":
            return sale
        live = books.reload(slug, live)
    return None


def _offer(
    lead: Lead,
    live: LiveVertical,
    facts: LeadFacts,
    sales: list[Sale],
    actor: str,
    at: datetime,
    lease: timedelta | None,
) -> tuple[str, UUID | None]:
    """Offer the lead down the ranks, a batch at a time, to those whom its buyers so far leave room."""
    taken, present = {sale.buyer_id for sale in sales}, [sale for sale in sales if sale.state not in OVER]
    most = lead.details.get("most_buyers") or MAX_SHARE
    if present and len(present) >= min(most, *(_share_of(sale) for sale in present)):
        return "unsold", None
    distribution, rules = (
        live.vertical.distribution,
        rules_of(live, (), facts.asked_minor, facts.min_price_minor, way=FIRST),
    )
    is_by_price = distribution.rule == BEST_PRICE and not live.book.has_ladders
    shortlist, is_last = live.book.candidates(facts, at), False
    deals = [] if present else [each for each in live.book.deals(facts, at) if each.buyer_id not in taken]
    while not is_last:
        batch, is_last = shortlist.batch(BATCH if is_by_price else EVERYBODY)
        fit = [
            _alone(each) for each in batch if each.buyer_id not in taken and _fits(each, len(present), distribution.way)
        ]
        values = (lead.id, *offer_of(deals + fit, is_last, live, at, lease, len(deals)), *rules, actor, at)
        said = db.session.connection().exec_driver_sql(_SELL_AGAIN, values).scalar_one()
        if said["outcome"] == "behind":
            raise Behind
        if said["outcome"] in ("sold", "stale"):
            return said["outcome"], UUID(said["sale"]) if said.get("sale") else None
    return "unsold", None


def _alone(listed: Listed) -> Listed:
    """Return a candidate as one who buys alone: one more buyer is wanted, whatever each would share."""
    return replace(listed, terms=replace(listed.terms, max_share=1))


def _fits(listed: Listed, buyers: int, way: str) -> bool:
    if way == (SHARED_ONLY if listed.terms.exclusive else EXCLUSIVE_ONLY):
        return False
    return buyers == 0 or listed.terms.max_share > buyers


def _share_of(sale: Sale) -> int:
    return _terms_of(sale).max_share


def _terms_of(sale: Sale) -> OrderTerms:
    return decode_terms(db.session.get_one(OrderVersion, (sale.order_id, sale.order_version)).terms)
