"""What the market's data needs by the clock, in steps of one transaction each."""

from collections.abc import Callable
from datetime import datetime

from marketplace.market.counting import count_next_day
from marketplace.market.depth import look_at_next_depth
from marketplace.market.quality import count_next_sources

STEPS: dict[str, Callable[[datetime], int]] = {
    "market_days": count_next_day,
    "market_depths": look_at_next_depth,
    "sources_counted": count_next_sources,
}
