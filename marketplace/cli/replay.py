"""Decisions run again from the command line."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import click
from sqlalchemy import select
from tqdm import tqdm  # type: ignore[import-untyped]

from core.db import db, transaction
from core.errors import NotFound
from core.ids import parse_id, show_id
from marketplace.cli.running import print_json, with_app
from marketplace.leads.models import Lead
from marketplace.leads.replay import Replay, replays

SHOWN = 100  # decisions that came out otherwise, of which both forms are printed
_AROUND = 40  # letters shown on each side of the first difference


class Differing(NamedTuple):
    """A decision that came out otherwise; offer 0 is that of the lead as it came."""

    lead: str
    offer: int
    replay: Replay

    @property
    def place(self) -> int:
        """Return the first byte that differs, counted from 0."""
        stored, again = self.replay.stored.encode(), self.replay.again.encode()
        pairs = enumerate(zip(stored, again, strict=False))
        return next((place for place, (one, other) in pairs if one != other), min(len(stored), len(again)))

    def as_json(self) -> dict[str, Any]:
        """Show both forms, and where they part."""
        return {"lead": self.lead, "offer": self.offer, "byte": self.place, "stored": self.replay.stored,
                "again": self.replay.again}  # fmt: skip

    def sentence(self) -> str:
        """Tell where the two part, with the letters around."""
        near = slice(max(self.place - _AROUND, 0), self.place + _AROUND)
        stored, again = (
            text.encode()[near].decode(errors="replace") for text in (self.replay.stored, self.replay.again)
        )
        which = f"{self.lead}, offer {self.offer}," if self.offer else self.lead
        return f"{which} differs from byte {self.place} on: stored …{stored}…, again …{again}…"


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
    found, differ = 0, list[Differing]()
    with transaction():
        wanted = _day(day.replace(tzinfo=UTC)) if day else _one(lead or "")
        for lead_id in wanted:
            decisions = replays(lead_id)
            db.session.expunge_all()  # a day may have very many leads
            found += len(decisions)
            differ += [Differing(show_id("lead", lead_id), offer, each)
                       for offer, each in enumerate(decisions) if not each.is_same]  # fmt: skip
    same = found - len(differ)
    print_json({"replayed": found, "same": same, "differ": [one.as_json() for one in differ[:SHOWN]],
                "differ_left_out": max(len(differ) - SHOWN, 0)})  # fmt: skip
    for one in differ[:1]:
        click.echo(one.sentence(), err=True)
    click.echo(f"{found} decisions run again: {same} came out the same to the byte, {len(differ)} otherwise.", err=True)
    sys.exit(1 if differ else 0)


def _one(shown: str) -> list[UUID]:
    lead_id = parse_id("lead", shown)
    if db.session.scalar(select(Lead.id).where(Lead.id == lead_id)) is None:
        raise NotFound(detail="There is no lead with this id.")
    return [lead_id]


def _day(day: datetime) -> Iterator[UUID]:
    """Yield the leads of a day, with a bar on stderr, only on a terminal."""
    within = (Lead.received_at >= day, Lead.received_at < day + timedelta(days=1))
    leads = list(db.session.scalars(select(Lead.id).where(*within).order_by(Lead.received_at, Lead.id)))
    yield from tqdm(leads, unit=" decisions", file=sys.stderr, disable=not sys.stderr.isatty())
