"""A verdict on a cluster: one decision of an operator on all sales of a source, sub id or network in a period.

Each sale has its own dispute, its own line in the ledger and its own event. Settled money is taken back for as long as
the reason allows an operator; what is passed over is counted by code.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import CIDR, INET, JSONPATH

from billing import lock_parties
from core.db import db
from core.errors import Fault, Invalid
from core.ids import new_id
from core.money import Money
from marketplace.leads.dispute_rows import Dispute, DisputeGroup
from marketplace.leads.disputes.decision import Ruling, rule
from marketplace.leads.disputes.opening import OPERATOR, Claim, enter_dispute
from marketplace.leads.disputes.reasons import check_words, operator_claims_until, reason_of_sale
from marketplace.leads.models import Lead, Sale

MOST_SALES = 2000  # one transaction holds them all; a longer list is split by its period


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which sales, and how they are decided; `value` names the source, sub id or network of `by`."""

    by: str
    publisher_id: UUID
    value: str
    since: datetime
    until: datetime
    decision: str
    reason: str
    note: str = ""


def decide_group(cluster: Cluster, actor: str, at: datetime) -> DisputeGroup:
    """Decide every sale of the cluster that may still be decided, and report; the same cluster again changes nothing.

    Invalid `invalid_group` for an unknown reason, a bad network, a period that ends before it begins, or too many
    sales. Sales are locked in the order of their ids.
    """
    _check(cluster)
    key = _key_of(cluster)
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"dispute_group:{key}", 0))))
    known = db.session.scalar(select(DisputeGroup).where(DisputeGroup.key == key))
    if known is not None:
        return known
    group = DisputeGroup(id=new_id(), key=key, publisher_id=cluster.publisher_id, asked=_asked(cluster), report={},
                         actor=actor, decided_at=at)  # fmt: skip
    db.session.add(group)
    db.session.flush()
    group.report = _decide_all(group, cluster, actor, at)
    db.session.flush()
    return group


@dataclass(frozen=True, slots=True)
class Reached:
    """One sale that a verdict would reach; the obstacle is the code of why it is passed over."""

    sale_id: UUID
    buyer_id: UUID
    sold_at: datetime
    state: str
    price: Money
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a verdict would do now; `mark` changes with the sales it decides.

    `given_at` and `given` say when this very verdict was given before, and how many sales it decided.
    """

    reached: tuple[Reached, ...]
    mark: str
    given_at: datetime | None
    given: int

    @property
    def decided(self) -> list[Reached]:
        """Return the sales that would be decided."""
        return [one for one in self.reached if one.obstacle is None]

    @property
    def skipped(self) -> dict[str, int]:
        """Count what would be passed over, by its code."""
        return dict(Counter(one.obstacle for one in self.reached if one.obstacle is not None))

    @property
    def prices(self) -> list[Money]:
        """Sum the prices of what would be decided, an amount a currency."""
        sums = Counter[str]()
        for one in self.decided:
            sums[one.price.currency] += one.price.minor
        return [Money(minor, currency) for currency, minor in sorted(sums.items())]


def preview_group(cluster: Cluster, at: datetime) -> Preview:
    """Tell which sales a verdict would decide at this instant, without deciding any; Invalid as `decide_group`."""
    _check(cluster)
    sales = list(db.session.scalars(_sales_of(cluster).limit(MOST_SALES + 1)))
    _check_number(sales)
    query = select(Dispute).where(Dispute.sale_id.in_([sale.id for sale in sales]))
    disputes = {dispute.sale_id: dispute for dispute in db.session.scalars(query)}
    reached = tuple(
        Reached(sale.id, sale.buyer_id, sale.sold_at, sale.state, Money(sale.price_minor, sale.currency),
                _obstacle(sale, disputes.get(sale.id), cluster, at)) for sale in sales
    )  # fmt: skip
    key = _key_of(cluster)
    given = db.session.scalar(select(DisputeGroup).where(DisputeGroup.key == key))
    decided = ",".join(str(one.sale_id) for one in reached if one.obstacle is None)
    mark = hashlib.sha256(f"{key}:{decided}".encode()).hexdigest()
    return Preview(reached, mark, given.decided_at if given else None, given.report["decided"] if given else 0)


def _check_number(sales: Sequence[Sale]) -> None:
    if len(sales) > MOST_SALES:
        fault = Fault("to", "too_many", f"Choose a shorter period: one verdict decides at most {MOST_SALES} sales.")
        raise Invalid("invalid_group", "The group cannot be decided.", [fault])


def _decide_all(group: DisputeGroup, cluster: Cluster, actor: str, at: datetime) -> dict[str, Any]:
    sales = list(db.session.scalars(_sales_of(cluster).limit(MOST_SALES + 1).with_for_update(of=Sale)))
    _check_number(sales)
    query = select(Dispute).where(Dispute.sale_id.in_([sale.id for sale in sales])).order_by(Dispute.id)
    disputes = {dispute.sale_id: dispute for dispute in db.session.scalars(query.with_for_update())}
    skipped: Counter[str] = Counter()
    sales.sort(key=lambda sale: sale.buyer_id)  # the order in which wallets are locked everywhere
    if any(sale.state == "settled" for sale in sales):
        lock_parties([sale.id for sale in sales])
    decided = [sale for sale in sales if _decide(sale, disputes.get(sale.id), group, cluster, actor, at, skipped)]
    returned: Counter[str] = Counter()
    for sale in decided if cluster.decision == "uphold" else ():
        returned[sale.currency] += sale.price_minor
    return {"sales": len(sales), "decided": len(decided), "returned": dict(returned), "skipped": dict(skipped)}


def _decide(
    sale: Sale, dispute: Dispute | None, group: DisputeGroup, cluster: Cluster, actor: str, at: datetime,
    skipped: Counter[str],
) -> bool:  # fmt: skip
    """Decide one locked sale, or count why it is passed over."""
    code = _obstacle(sale, dispute, cluster, at)
    if code:
        skipped[code] += 1
        return False
    if dispute is None:
        late = sale.state == "settled"
        claim = Claim(cluster.reason, cluster.note)
        dispute = enter_dispute(sale, claim, actor, at, group.id, late=late, opened_by=OPERATOR)
    dispute.group_id = group.id
    credit = sale.price_minor if cluster.decision == "uphold" else 0
    rule(sale, dispute, Ruling("upheld" if credit else "rejected", credit, cluster.note), actor, at)
    return True


def _obstacle(sale: Sale, dispute: Dispute | None, cluster: Cluster, at: datetime) -> str | None:
    if sale.state not in ("delivered", "disputed", "settled"):
        return "not_held_any_more" if sale.state != "held" else "not_delivered"
    if dispute is not None:
        return "already_decided" if dispute.state != "open" else None
    if cluster.decision == "reject":
        return "not_disputed"
    if sale.state == "settled":
        until = operator_claims_until(sale, reason_of_sale(sale, cluster.reason))
        return "not_held_any_more" if until is None else "too_late" if at >= until else None
    return None


def _sales_of(cluster: Cluster) -> Select[Sale]:
    query = select(Sale).join(Lead, Lead.id == Sale.lead_id).where(
        Sale.publisher_id == cluster.publisher_id, Sale.sold_at >= cluster.since, Sale.sold_at < cluster.until
    )  # fmt: skip
    source = Lead.details["source"]
    if cluster.by == "source":
        query = query.where(Lead.source_name == cluster.value)
    elif cluster.by == "sub_id":
        named = func.jsonb_build_object("value", literal(cluster.value, Text))
        query = query.where(func.jsonb_path_exists(source, cast("$.sub.* ? (@ == $value)", JSONPATH), named))
    else:
        inside = cast(func.nullif(source["ip"].astext, ""), INET).op("<<=")(cast(literal(cluster.value, Text), CIDR))
        query = query.where(inside)
    return query.order_by(Sale.id)


def _check(cluster: Cluster) -> None:
    check_words(cluster.reason, None)
    faults = []
    if cluster.until <= cluster.since:
        faults.append(Fault("to", "bounds_reversed", "Let the period end after it begins."))
    if cluster.by == "network" and not _is_network(cluster.value):
        faults.append(Fault("value", "invalid_ip", "Send a network such as 203.0.113.0/24."))
    if faults:
        raise Invalid("invalid_group", "The group cannot be decided.", faults)


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return "%" not in text


def _asked(cluster: Cluster) -> dict[str, str]:
    """Write what was asked as plain text, instants in UTC; the note is no part of what is decided."""
    return {
        "by": cluster.by, "publisher": str(cluster.publisher_id), "value": cluster.value,
        "from": cluster.since.astimezone(UTC).isoformat(), "to": cluster.until.astimezone(UTC).isoformat(),
        "decision": cluster.decision, "reason": cluster.reason,
    }  # fmt: skip


def _key_of(cluster: Cluster) -> str:
    return hashlib.sha256(msgspec.json.encode(_asked(cluster), order="sorted")).hexdigest()
