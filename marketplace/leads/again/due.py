"""What falls due of leads offered again: some are looked at until one is sold, then orders wake the next ones."""

from datetime import datetime

from sqlalchemy import select, text

from core.db import db
from marketplace.leads.again.looking import look
from marketplace.leads.again.models import KeptLead
from marketplace.leads.again.seeking import fund, seek

AT_ONCE = 50  # leads of one transaction, which ends with the first that others were asked for
# Where no order buys aged leads or waits, nobody is asked; after so many days a lead is looked at all the same, to end.
# As many at a time as are read by the index: those behind them come next.
_SLEEP = text("""
    UPDATE marketplace.kept_leads k SET due_at = k.received_at + interval '90 days' FROM (
        SELECT k.lead_id FROM marketplace.kept_leads k
        WHERE k.lead_id IN (SELECT lead_id FROM marketplace.kept_leads WHERE due_at <= :at
                            ORDER BY due_at, received_at DESC LIMIT 500)
        AND k.due_at <= :at AND k.received_at > :at - interval '90 days' AND NOT EXISTS (
            SELECT FROM marketplace.seekers s JOIN marketplace.orders o ON o.id = s.order_id
            WHERE o.vertical_id = k.vertical_id AND o.status = 'active')
        FOR UPDATE SKIP LOCKED) AS free
    WHERE k.lead_id = free.lead_id
""")


def offer_again(as_of: datetime) -> int:
    """Look at some kept leads that are due by then, the youngest first; when there is none, let an order wake some.

    Returns 0 when nothing is due that no other worker has in hand.
    """
    db.session.execute(_SLEEP, {"at": as_of})
    query = select(KeptLead.lead_id).where(KeptLead.due_at <= as_of)
    query = query.order_by(KeptLead.due_at, KeptLead.received_at.desc()).limit(AT_ONCE)
    looked = 0
    for lead_id in db.session.scalars(query).all():
        is_over = look(lead_id, as_of)
        looked += is_over is not None
        if is_over:
            break
    return looked or seek(as_of) or fund(as_of)


STEPS = {"offers_again": offer_again}
