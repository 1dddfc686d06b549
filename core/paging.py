"""Lists in pages: the newest first, each page names the cursor of the next, and no row is shown twice or skipped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from core.errors import Fault, Malformed, NotFound
from core.ids import parse_id, show_id

DEFAULT_LIMIT = 50
MOST = 200


class Row(Protocol):
    """Whatever has an id that grows with time."""

    @property
    def id(self) -> Any:
        """Return the id."""
        ...


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: at most `limit` rows with ids below `after`."""

    limit: int
    after: UUID | None


def read_page(prefix: str, query: Mapping[str, str]) -> PageRequest:
    """Read `limit` (1 to 200) and `cursor` from a query; Malformed names both when both are unusable."""
    faults = []
    text, cursor = query.get("limit", str(DEFAULT_LIMIT)), query.get("cursor")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST):
        faults.append(Fault("limit", "out_of_range", f"Send a whole number from 1 to {MOST}."))
    after = None
    if cursor:
        try:
            after = parse_id(prefix, cursor)
        except NotFound:
            faults.append(Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor."))
    if faults:
        raise Malformed("bad_page", "This page cannot be shown.", faults)
    return PageRequest(int(text), after)


def page_of(
    prefix: str, asked: PageRequest, find: Callable[[UUID | None, int], Sequence[Row]], show: Callable[[Any], Any]
) -> dict[str, Any]:
    """Find one row more than asked for, and show the page with the cursor of the next, null at the end."""
    rows = find(asked.after, asked.limit + 1)
    shown = rows[: asked.limit]
    more = len(rows) > asked.limit
    return {"items": [show(row) for row in shown], "next_cursor": show_id(prefix, shown[-1].id) if more else None}
