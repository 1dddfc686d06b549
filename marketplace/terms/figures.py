"""What the ledger says of publishers: their age, how many sales were settled, and which part went back lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from affiliates import Figures, Rules, opened_at_of
from core.db import db
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Sale


def figures_of(publisher_ids: Sequence[UUID], rules: Rules, at: datetime) -> dict[UUID, Figures]:
    """Return the figures of each of these publishers, in three questions however many they are.

    Judged are the sales that ended in the last `judged_days`, settled or returned; upheld are those of them of which
    anything went back at the publisher's cost.
    """
    since = at - timedelta(days=rules.judged_days)
    settled = select(Sale.publisher_id, func.count(), func.count().filter(Sale.ended_at > since)).where(
        Sale.publisher_id.in_(publisher_ids), Sale.state == "settled"
    )
    back = select(
        Dispute.publisher_id, func.count().filter(Sale.state == "returned"),
        func.count().filter(Dispute.paid_by == "publisher"),
    ).join(Sale, Sale.id == Dispute.sale_id).where(
        Dispute.publisher_id.in_(publisher_ids), Dispute.credited_minor > 0, Sale.ended_at > since,
        Sale.state.in_(("settled", "returned")),
    )  # fmt: skip
    counted = {who: rest for who, *rest in db.session.execute(settled.group_by(Sale.publisher_id))}
    returned = {who: rest for who, *rest in db.session.execute(back.group_by(Dispute.publisher_id))}
    opened, found = opened_at_of(publisher_ids), {}
    for each in publisher_ids:
        total, lately = counted.get(each, (0, 0))
        gone, upheld = returned.get(each, (0, 0))
        found[each] = Figures(max((at - opened[each]).days, 0), total, lately + gone, upheld)
    return found
