"""What the sale function is handed besides the lead: the candidates as parallel arrays, and the rules to judge by."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from marketplace.catalog.distribution import Distribution
from marketplace.leads.books import LiveVertical
from marketplace.leads.matching import Listed
from marketplace.orders.pace import limits_now, written
from marketplace.orders.periods import period_starts
from marketplace.orders.terms import OrderTerms


def offer_of(
    offered: list[Listed], is_last: bool, live: LiveVertical, at: datetime, lease: timedelta | None = None,
    deals: int = 0, bound: str | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    """Return the values of a `marketplace.offer`: the candidates as parallel arrays.

    With a lease the caller takes the deliveries to sync orders in hand, from the sale on, for so long. The first
    `deals` of the candidates are private deals with the publisher; `bound` says whom of the others nobody comes before.
    """
    starts: list[int] = []
    for listed in offered:
        starts.extend(period_starts(listed.terms.timezone, at))
    return (
        array([listed.order_id.hex for listed in offered]), array([listed.version for listed in offered]),
        array([listed.buyer_id.hex for listed in offered]), array([listed.price_minor for listed in offered]),
        array([listed.terms.max_share for listed in offered]), array(starts), is_last, live.book.version,
        array(["t" if listed.terms.delivered_later else "f" for listed in offered]),
        "{}" if lease is None else _leases(offered, lease),
        _ranks(offered, live.vertical.distribution), live.together,
        written([limits_now(one.terms, at, one.price_minor, one.offered_steps) for one in offered]), deals, bound,
    )  # fmt: skip


def offer_of_one(terms: OrderTerms, at: datetime) -> tuple[list[int], str | None]:
    """Return where an order's periods began, and what else limits it at this instant, as the sale takes it."""
    limits = limits_now(terms, at, terms.price_minor)
    return list(period_starts(terms.timezone, at)), None if limits is None else json.dumps(limits)


def _ranks(offered: list[Listed], distribution: Distribution) -> str:
    """Write what the rule goes by beside the price: priorities or target shares, NULL where none was said."""
    if distribution.rule in ("best_price", "round_robin"):
        return "{}"
    of_each = [
        one.terms.target_share if distribution.rule == "weighted" else one.terms.priority for one in offered
    ]  # fmt: skip
    return array([str(rank or "NULL") for rank in of_each])


def _leases(offered: list[Listed], lease: timedelta) -> str:
    """Write until when the caller has each delivery in hand; empty when none of them is his."""
    if not any(listed.terms.is_sync for listed in offered):
        return "{}"
    until = f'"{datetime.now(UTC) + lease}"'
    return array([until if listed.terms.is_sync else "NULL" for listed in offered])


def rules_of(
    live: LiveVertical,
    keys: tuple[bytes, ...],
    least_payout_minor: int,
    least_minor: int = 0,
    most_buyers: int | None = None,
    way: str | None = None,
) -> tuple[Any, ...]:
    """Return the values of `marketplace.rules`: the vertical's, the person's keys, and the publisher's own limits."""
    vertical = live.vertical
    bands = None if vertical.bands is None else array(["NULL" if one is None else one for one in vertical.bands])
    return (vertical.currency, list(keys), vertical.dedupe_days, vertical.window_hours, vertical.hold_days,
            least_payout_minor, vertical.definition.delivery_grace_minutes, vertical.distribution.rule,
            way or vertical.distribution.way, min(live.most_buyers, most_buyers or live.most_buyers),
            bands, least_minor)  # fmt: skip


def array(values: Sequence[str | int]) -> str:
    """Write an array as PostgreSQL reads it: the driver takes ten times as long to find out the type of its items."""
    return f"{{{','.join(map(str, values))}}}"
