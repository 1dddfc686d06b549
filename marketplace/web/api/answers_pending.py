"""The shapes of what is held for a publisher, over HTTP."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Struct

from core.schemas import Amount
from marketplace.reports.pending import WHY
from marketplace.web.api.answers import one_of


class HeldShown(Struct, frozen=True, kw_only=True):
    """An amount that is held: of an open sale, or the reserve of a settled one; `until` is null while not delivered."""

    kind: Annotated[str, one_of(("sale", "reserve"))]
    sale: str
    amount: Amount
    why: Annotated[str, one_of(WHY)]
    why_said: str
    until: datetime | None


class WeekShown(Struct, frozen=True, kw_only=True):
    """What becomes payable in a week (from its Monday, UTC) if nothing is returned; null begins while not delivered."""

    begins: date | None
    sales: int
    disputed: int
    from_sales: Amount
    from_reserve: Amount
    together: Amount


class PendingShown(Struct, frozen=True, kw_only=True):
    """All that is held by week, and one part of it line by line, the next to be released first."""

    currency: str
    together: Amount
    weeks: list[WeekShown]
    items: list[HeldShown]
    next_cursor: str | None
