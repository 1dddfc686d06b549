"""Decisions run again from the command line."""

import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import click
from sqlalchemy import select

from core.db import db, transaction
from core.ids import parse_id, show_id
from marketplace.cli.running import print_json, with_app
from marketplace.leads.models import Lead
from marketplace.leads.replay import replays


@click.command("replay")
@click.argument("lead", required=False)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Every lead received on this day, in UTC.")
@with_app
def replay_command(lead: str | None, day: datetime | None) -> None:
    """Run the stored decision of a LEAD (lead_…) and its further offers again, or those of a day's leads.

    Ends with status 1 when one comes out otherwise.
    """
    if (lead is None) == (day is None):
        raise click.UsageError("Name one lead, or a day.")
    with transaction():
        leads = _leads_of(day.replace(tzinfo=UTC)) if day else [parse_id("lead", lead or "")]
        found = [(lead_id, number, one) for lead_id in leads for number, one in enumerate(replays(lead_id))]
    differ = [{"lead": show_id("lead", lead_id), "offer": number, "stored": one.stored, "again": one.again}
              for lead_id, number, one in found if not one.is_same]  # fmt: skip
    print_json({
        "replayed": len(found), "same": len(found) - len(differ), "differ": differ,
    })  # fmt: skip
    sys.exit(1 if differ else 0)


def _leads_of(day: datetime) -> list[UUID]:
    query = select(Lead.id).where(Lead.received_at >= day, Lead.received_at < day + timedelta(days=1))
    return list(db.session.scalars(query.order_by(Lead.id)))
