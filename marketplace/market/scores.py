"""The public quality of sources: which share of their judged sales were good, with the interval it is known to."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, select

from core.db import db
from core.overrides import overrides
from marketplace.market.rows import SourceQuality
from marketplace.market.wilson import wilson

FEW, FEW_BUYERS = "few_sales", "few_buyers"
MOST = 500  # sources that a list shows, the best known first


@dataclass(frozen=True, slots=True)
class Quality:
    """A source under its public codes; what it comes to is None while `withheld` says why it is not told.

    The score that is compared is the lower end: it rises with what is good and with how much is known.
    """

    source_code: str
    publisher_code: str
    source_name: str
    buyers: int
    judged: int
    returned: int
    unreachable: int
    reported: int
    reached: int
    won: int
    good_bp: int | None
    low_bp: int | None
    high_bp: int | None
    withheld: str | None

    @property
    def is_told(self) -> bool:
        """Tell whether enough sales to enough buyers are judged."""
        return self.withheld is None


def score(row: SourceQuality, least: int, least_buyers: int) -> Quality:
    """Judge a counted source: nothing is told of it below the least number of sales, or of buyers who had them."""
    good = row.judged - row.returned - row.unreachable
    counts = (row.buyers, row.judged, row.returned, row.unreachable, row.reported, row.reached, row.won)
    few = FEW if row.judged < least else FEW_BUYERS if row.buyers < least_buyers else None
    if few:
        return Quality(row.source_code, row.publisher_code, row.source_name, *counts, None, None, None, few)
    low, high = wilson(good, row.judged)
    share = good * 10_000 // row.judged
    return Quality(row.source_code, row.publisher_code, row.source_name, *counts, share, int(low * 10_000),
                   -int(-high * 10_000 // 1), None)  # fmt: skip


def qualities_in(vertical_id: int | None = None) -> list[Quality]:
    """Return the sources whose quality is told, of a vertical or of all, the best first."""
    least = _least()
    query = select(SourceQuality).where(SourceQuality.judged >= least[0], SourceQuality.buyers >= least[1])
    if vertical_id is not None:
        query = query.where(any_(SourceQuality.verticals) == vertical_id)
    found = [score(row, *least) for row in db.session.scalars(query.limit(10 * MOST))]
    return sorted(found, key=lambda one: (-(one.low_bp or 0), one.source_code))[:MOST]


def quality_of(row: SourceQuality | None) -> Quality | None:
    """Return the quality of a source that was read, None for one that was never counted."""
    return None if row is None else score(row, *_least())


def qualities_of(publisher_id: UUID) -> Sequence[Quality]:
    """Return a publisher's own sources with their counts, told or not, by their names."""
    query = select(SourceQuality).where(SourceQuality.publisher_id == publisher_id).order_by(SourceQuality.source_name)
    least = _least()
    return [score(row, *least) for row in db.session.scalars(query)]


def _least() -> tuple[int, int]:
    said = overrides()
    return said.setting("market.quality_least"), said.setting("market.least_buyers")
