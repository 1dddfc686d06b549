"""The beginning of the demonstration: set up, fill in the days before, and mark that it is whole."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from marketplace.demo.backfill import Backfill
from marketplace.demo.cast import Cast
from marketplace.demo.labels import LabelBook
from marketplace.demo.paying import open_places
from marketplace.demo.set_clock import SetClock
from marketplace.demo.settling import open_members, place_orders
from marketplace.demo.state import DemoState, write_state

OPENS, ZONE = time(9, 30), ZoneInfo("Europe/Paris")  # when leads begin to come in numbers


@dataclass(frozen=True, slots=True)
class Wanted:
    """How large a market is wanted: days before the opening, share of the full size, seed, and when it opens."""

    days: int
    scale: float
    seed: int
    opens_at: datetime

    @property
    def first_day(self) -> date:
        """Return the day on which the first leads come; the market opens after so many whole days."""
        return self.opens_at.date() - timedelta(days=self.days)


def next_opening(now: datetime) -> datetime:
    """Return the first half past nine in Paris that is not over yet."""
    opens = datetime.combine(now.astimezone(ZONE).date(), OPENS, ZONE)
    if opens < now:
        opens = datetime.combine(opens.date() + timedelta(days=1), OPENS, ZONE)
    return opens.astimezone(now.tzinfo)


def fill_in(
    wanted: Wanted, data_folder: Path, clock: SetClock, password: str, progress: Callable[[datetime, int], None]
) -> DemoState:
    """Make the market and play it until it opens; what is half done when this is cut short can only be thrown away."""
    cast = Cast(wanted.first_day, wanted.scale, wanted.seed)
    state = DemoState(wanted.first_day.isoformat(), wanted.days, wanted.scale, wanted.seed, wanted.opens_at)
    write_state(data_folder, state)
    clock.at = datetime.combine(wanted.first_day, time(), wanted.opens_at.tzinfo)
    members, operator = open_members(cast, password, clock.at, datetime.now(UTC))
    open_places(members, clock.at)
    placed = place_orders(cast, members, clock.at)
    state = msgspec.structs.replace(state, members=members, orders=placed)
    write_state(data_folder, state)
    labels = LabelBook(data_folder)
    try:
        Backfill(cast, state, labels, clock, operator).run(progress)
    finally:
        labels.close()
    return state
