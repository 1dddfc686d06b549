"""The choice of who buys one lead: pure, exact, and the model that the sale in the database is tested against.

Candidates rank by price, then by who has gone longest without a purchase (never first), then by order id. The first
that can buy decides: an exclusive order takes the lead alone, a shared one is joined down the ranking by other buyers'
shared orders, as long as the set is no larger than any of its members allows.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

_NEVER = datetime.min.replace(tzinfo=UTC)

SOLD, OUTBID, SHARE_FULL, FILTERED = "sold", "outbid", "share_full", "filtered"


class Candidate(Struct, frozen=True):
    """An order that wants the lead, with what its counters and its buyer's wallet say now.

    `max_share` 1 means exclusive. `refusal` is why it cannot buy (capped, no_funds, duplicate …), None when it can.
    """

    order_id: UUID
    buyer_id: UUID
    price_minor: int
    max_share: int
    last_sold_at: datetime | None = None
    refusal: str | None = None


class Chosen(Struct, frozen=True):
    """Who buys, in rank order, and the outcome of every candidate, in the order considered."""

    orders: tuple[UUID, ...]
    outcomes: tuple[tuple[UUID, str], ...]


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates in the order in which they are considered."""
    return sorted(candidates, key=lambda each: (-each.price_minor, each.last_sold_at or _NEVER, each.order_id.int))


def choose(candidates: Iterable[Candidate], *, exclusive_only: bool = False) -> Chosen:
    """Choose the buyers of one lead; nobody when no candidate can buy.

    Outcomes: sold; the candidate's own refusal; outbid (an exclusive order stood higher, or it is an exclusive order
    below a shared one, or the same buyer has the lead by a higher order); share_full (the set, or this order, allows
    no further buyer); filtered (a shared order, and the lead is sold exclusively).
    """
    chosen: list[Candidate] = []
    outcomes: list[tuple[UUID, str]] = []
    for each in ranked(candidates):
        outcome = _outcome(each, chosen, exclusive_only)
        outcomes.append((each.order_id, outcome))
        if outcome == SOLD:
            chosen.append(each)
    return Chosen(tuple(each.order_id for each in chosen), tuple(outcomes))


def _outcome(candidate: Candidate, chosen: list[Candidate], exclusive_only: bool) -> str:
    if exclusive_only and candidate.max_share > 1:
        return FILTERED
    if candidate.refusal is not None:
        return candidate.refusal
    if not chosen:
        return SOLD
    if chosen[0].max_share == 1 or candidate.max_share == 1 or candidate.buyer_id in {each.buyer_id for each in chosen}:
        return OUTBID
    limit = min(candidate.max_share, *(each.max_share for each in chosen))
    return SOLD if len(chosen) + 1 <= limit else SHARE_FULL
