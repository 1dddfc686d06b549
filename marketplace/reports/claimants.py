"""How buyers stand as those who claim: how much of what was bought came back, and how many claims were rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from core.db import db
from core.identity import Account
from core.money import BASIS_POINTS
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Appeal, Dispute
from marketplace.leads.disputes.cap import count_bought, is_above
from marketplace.leads.disputes.guard import REJECTED, count_decided, is_guarded
from marketplace.leads.models import Sale
from marketplace.reports.kept import kept_of_many

MOST_LOOKED_AT = 200  # buyers whose sales are counted in one look, those with the most claims first


@dataclass(frozen=True, slots=True)
class BuyerStanding:
    """How a buyer stands as one who claims: counts of the rules' days, and what follows from them."""

    bought: int
    sent_back: int
    above_cap: bool
    decided: int
    rejected: int
    guarded: bool

    @property
    def next_passes_cap(self) -> bool:
        """Tell whether one more claim puts the buyer above the cap on returns."""
        return not self.above_cap and is_above(rules_in_force().return_cap, self.bought, self.sent_back + 1)


@dataclass(frozen=True, slots=True)
class Claimant:
    """A buyer who claims too much or falsely, and when the latest claim was opened."""

    account_id: UUID
    name: str
    standing: BuyerStanding
    latest_at: datetime


def buyer_standing(buyer_id: UUID, at: datetime) -> BuyerStanding:
    """Return how a buyer stands at an instant, in one question."""
    bought, decided = count_bought(buyer_id, at).subquery(), count_decided(buyer_id, at).subquery()
    return _judged(*db.session.execute(select(bought, decided).join_from(bought, decided, true())).one())


def claimants(at: datetime) -> list[Claimant]:
    """Return the buyers above the cap on returns or under the guard against false claims, in two questions.

    Only buyers with claims enough for one of the two are looked at, so the sales of all the others are not counted.
    """
    candidates = db.session.execute(_candidates(at)).all()
    bought = _bought([row.buyer_id for row in candidates], at)
    judged = [
        Claimant(row.buyer_id, row.name, _judged(*bought.get(row.buyer_id, (0, 0)), row.decided, row.rejected),
                 row.latest_at) for row in candidates
    ]  # fmt: skip
    return [one for one in judged if one.standing.above_cap or one.standing.guarded]


def _judged(bought: int, back: int, decided: int, rejected: int) -> BuyerStanding:
    rules = rules_in_force()
    return BuyerStanding(bought, back, is_above(rules.return_cap, bought, back), decided, rejected,
                         is_guarded(rules.false_claims, decided, rejected))  # fmt: skip


def _candidates(at: datetime) -> Select[UUID, str, int, int, datetime]:
    """Count each buyer's claims; whoever has fewer than either rule asks for cannot be concerned by it."""
    cap, guard = rules_in_force().return_cap, rules_in_force().false_claims
    opened: ColumnElement[bool] = Dispute.opened_at > at - timedelta(days=cap.days)
    decided = and_(Dispute.decided_at > at - timedelta(days=guard.days), Dispute.opened_by == "buyer")
    claims, judged = func.count().filter(opened), func.count().filter(decided)
    query = select(
        Dispute.buyer_id, Account.name, judged.label("decided"),
        func.count().filter(decided, REJECTED).label("rejected"), func.max(Dispute.opened_at).label("latest_at"),
    )  # fmt: skip
    query = query.outerjoin(Appeal, Appeal.dispute_id == Dispute.id).join(Account, Account.id == Dispute.buyer_id)
    query = query.where(or_(opened, decided)).group_by(Dispute.buyer_id, Account.name)
    enough = or_(claims * BASIS_POINTS > cap.least_sales * cap.share_bp, judged >= guard.least_claims)
    return query.having(enough).order_by(claims.desc(), Dispute.buyer_id).limit(MOST_LOOKED_AT)


def _bought(buyer_ids: Sequence[UUID], at: datetime) -> dict[UUID, tuple[int, int]]:
    """Count what each of these buyers bought within the cap's days, and what of it went back or is disputed."""
    since = at - timedelta(days=rules_in_force().return_cap.days)
    back = func.count().filter(Sale.state.in_(("returned", "disputed")))
    query = select(Sale.buyer_id, func.count(), back).where(
        Sale.buyer_id.in_(buyer_ids), Sale.sold_at > since, Sale.delivered_at.is_not(None)
    )
    return kept_of_many(
        ("claimants", *buyer_ids), at,
        lambda: {who: (count, sent) for who, count, sent in db.session.execute(query.group_by(Sale.buyer_id))},
        lambda counted: sum(count for count, _ in counted.values()),
    ).value  # fmt: skip
