"""The public quality of sources: which share of their judged sales were good, with the interval it is known to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, select

from core.db import db
from core.overrides import overrides
from marketplace.market.rows import SourceQuality
from marketplace.market.wilson import wilson

FEW = "few_sales"
MOST = 500  # sources that a list shows, the best known first


@dataclass(frozen=True, slots=True)
class Quality:
    """A source under its public codes; `low_bp` and `high_bp` are None while too few sales are judged to tell.

    The score that is compared is the lower end: it rises with what is good and with how much is known.
    """

    source_code: str
    publisher_code: str
    source_name: str
    judged: int
    returned: int
    unreachable: int
    reported: int
    reached: int
    won: int
    good_bp: int | None
    low_bp: int | None
    high_bp: int | None

    @property
    def is_told(self) -> bool:
        """Tell whether enough sales are judged."""
        return self.low_bp is not None


def score(row: SourceQuality, least: int) -> Quality:
    """Judge a counted source: nothing is told of it below the least number of sales."""
    good = row.judged - row.returned - row.unreachable
    counts = (row.judged, row.returned, row.unreachable, row.reported, row.reached, row.won)
    if row.judged < least:
        return Quality(row.source_code, row.publisher_code, row.source_name, *counts, None, None, None)
    low, high = wilson(good, row.judged)
    share = good * 10_000 // row.judged
    return Quality(row.source_code, row.publisher_code, row.source_name, *counts, share, int(low * 10_000),
                   -int(-high * 10_000 // 1))  # fmt: skip


def qualities_in(vertical_id: int | None = None) -> list[Quality]:
    """Return the sources whose quality is told, of a vertical or of all, the best first."""
    least = _least()
    query = select(SourceQuality).where(SourceQuality.judged >= least)
    if vertical_id is not None:
        query = query.where(any_(SourceQuality.verticals) == vertical_id)
    found = [score(row, least) for row in db.session.scalars(query.limit(10 * MOST))]
    return sorted(found, key=lambda one: (-(one.low_bp or 0), one.source_code))[:MOST]


def qualities_by_code(codes: Collection[str]) -> dict[str, Quality]:
    """Return the quality of each of these sources that was ever counted, by their codes."""
    query = select(SourceQuality).where(SourceQuality.source_code.in_(codes))
    least = _least()
    return {row.source_code: score(row, least) for row in db.session.scalars(query)}


def qualities_of(publisher_id: UUID) -> Sequence[Quality]:
    """Return a publisher's own sources with their counts, told or not, by their names."""
    query = select(SourceQuality).where(SourceQuality.publisher_id == publisher_id).order_by(SourceQuality.source_name)
    least = _least()
    return [score(row, least) for row in db.session.scalars(query)]


def _least() -> int:
    return overrides().setting("market.quality_least")
