"""The publishers and buyers of the exchange, for its operators: each with the figures of the last days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select

from affiliates import Publisher, get_publisher
from billing import Earned, HistoryItem, WalletBalance, earned_by, history_of, wallets_of
from core.db import db
from core.defaults import default
from core.errors import NotFound
from core.identity import Account
from core.keyset import Asked, Columns, Part, part_of
from core.money import BASIS_POINTS, Money
from marketplace.catalog.dispute_rules import ReturnCap
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Lead, Sale
from marketplace.leads.source_breaker import standings_of
from marketplace.leads.sources.models import SourceStanding
from marketplace.orders.models import Order
from marketplace.reports.kept import kept_of_many

DAYS = default("return.cap_days")  # over which a publisher's figures count
SORTS: Columns = {"opened": Account.id, "name": Account.name}
MOVEMENTS = 20
ORDERS = 50
FRUITLESS = ("returned", "refused", "failed")


@dataclass(frozen=True, slots=True)
class PublisherFigures:
    """What a publisher did in the last days, and what he has by the books; test leads are left out."""

    standing: str
    tier: str
    posted: int
    sold: int
    upheld: int
    earned: Earned


@dataclass(frozen=True, slots=True)
class BuyerFigures:
    """What a buyer did in the last days, and what stands in his wallet."""

    wallet: WalletBalance
    bought: int
    spent: Money
    sent_back: int
    disputes: int
    cap: ReturnCap

    @property
    def cap_used(self) -> float | None:
        """Return which part of the cap on returns is used, None while too little was bought for it to count."""
        cap = self.cap
        if self.bought < cap.least_sales or not cap.share_bp:
            return None
        return self.sent_back * BASIS_POINTS / self.bought / cap.share_bp


@dataclass(frozen=True, slots=True)
class PublisherStory:
    """One publisher with all that an operator asks about him."""

    account: Account
    terms: Publisher
    figures: PublisherFigures
    sources: Sequence[SourceStanding]
    movements: Sequence[HistoryItem]


@dataclass(frozen=True, slots=True)
class BuyerStory:
    """One buyer with all that an operator asks about him."""

    account: Account
    figures: BuyerFigures
    orders: Sequence[Order]
    movements: Sequence[HistoryItem]


def days_of_buyers() -> int:
    """Return over how many days a buyer's figures count: those of the cap on returns, so that its use agrees."""
    return rules_in_force().return_cap.days


def accounts_part(kind: str, asked: Asked) -> Part:
    """Return one part of the accounts of a kind."""
    return part_of(select(Account).where(Account.kind == kind), asked, SORTS, Account.id)


def publishers_figures(account_ids: Sequence[UUID], currency: str, at: datetime) -> dict[UUID, PublisherFigures]:
    """Return the figures of each of these publishers, in four questions however many they are."""
    since = at - timedelta(days=DAYS)
    leads = select(Lead.publisher_id, func.count(), func.count().filter(Lead.status == "sold")).where(
        Lead.publisher_id.in_(account_ids), Lead.received_at > since, Lead.test.is_(False)
    )
    posted = kept_of_many(
        ("posted", *account_ids), at,
        lambda: {who: (count, sold) for who, count, sold in db.session.execute(leads.group_by(Lead.publisher_id))},
        lambda counted: sum(count for count, _ in counted.values()),
    ).value  # fmt: skip
    claims = select(Dispute.publisher_id, func.count()).where(
        Dispute.publisher_id.in_(account_ids), Dispute.opened_at > since, Dispute.credited_minor > 0,
        Dispute.paid_by == "publisher",
    )  # fmt: skip
    upheld = _counted(claims.group_by(Dispute.publisher_id))
    terms = {row.account_id: row for row in db.session.scalars(
        select(Publisher).where(Publisher.account_id.in_(account_ids)))}  # fmt: skip
    earned = earned_by(account_ids, currency)
    return {
        each: PublisherFigures(terms[each].standing, terms[each].tier, *posted.get(each, (0, 0)), upheld.get(each, 0),
                               earned[each]) for each in account_ids
    }  # fmt: skip


def buyers_figures(account_ids: Sequence[UUID], currency: str, at: datetime) -> dict[UUID, BuyerFigures]:
    """Return the figures of each of these buyers, in three questions however many they are."""
    since = at - timedelta(days=days_of_buyers())
    delivered = Sale.delivered_at.is_not(None)
    spent = func.coalesce(func.sum(Sale.price_minor - Sale.credited_minor).filter(
        Sale.currency == currency, Sale.state.not_in(FRUITLESS)), 0)  # fmt: skip
    back = func.count().filter(delivered, Sale.state.in_(("returned", "disputed")))
    sales = select(Sale.buyer_id, func.count().filter(delivered), spent, back).where(
        Sale.buyer_id.in_(account_ids), Sale.sold_at > since
    )
    bought = kept_of_many(
        ("bought", currency, *account_ids), at,
        lambda: {who: rest for who, *rest in db.session.execute(sales.group_by(Sale.buyer_id))},
        lambda counted: sum(count for count, *_ in counted.values()),
    ).value  # fmt: skip
    claims = select(Dispute.buyer_id, func.count()).where(
        Dispute.buyer_id.in_(account_ids), Dispute.opened_at > since, Dispute.opened_by == "buyer"
    )
    disputes = _counted(claims.group_by(Dispute.buyer_id))
    wallets, cap, found = wallets_of(account_ids, currency), rules_in_force().return_cap, {}
    for each in account_ids:
        count, minor, returned = bought.get(each, (0, 0, 0))
        money = Money(int(minor), currency)
        found[each] = BuyerFigures(wallets[each], count, money, returned, disputes.get(each, 0), cap)
    return found


def _counted(query: Select[UUID, int]) -> dict[UUID, int]:
    return dict(db.session.execute(query).all())


def publisher_story(account_id: UUID, currency: str, at: datetime) -> PublisherStory:
    """Return one publisher; NotFound when there is none of this account."""
    terms = get_publisher(account_id)
    account = db.session.get_one(Account, account_id)
    figures = publishers_figures([account_id], currency, at)[account_id]
    return PublisherStory(account, terms, figures, standings_of(account_id),
                          history_of(account_id, currency, MOVEMENTS))  # fmt: skip


def buyer_story(account_id: UUID, currency: str, at: datetime) -> BuyerStory:
    """Return one buyer; NotFound when there is none of this account."""
    account = db.session.get(Account, account_id)
    if account is None or account.kind != "buyer":
        raise NotFound(detail="There is no buyer with this id.")
    orders = select(Order).where(Order.buyer_id == account_id).order_by(Order.id.desc()).limit(ORDERS)
    return BuyerStory(account, buyers_figures([account_id], currency, at)[account_id],
                      db.session.scalars(orders).all(), history_of(account_id, currency, MOVEMENTS))  # fmt: skip
