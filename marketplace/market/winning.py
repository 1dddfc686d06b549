"""The least price at which one order more would have bought a lead, by the decision that was stored: pure.

The order is thought of beside those that were tried, as they stood; at the same price it comes after them, and a
private deal it never outbids. Who was not tried bids less than those who were, so nobody else stands in its way. What
it might have made together with such buyers is not counted: for one that shares, the price is one that surely wins.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from marketplace.leads.auction import Candidate, Rules, best_of, ranked, value_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_ONE_MORE = UUID(int=2**128 - 1)


def least_winning(
    candidates: Sequence[Candidate], rules: Rules, max_share: int, least_minor: int = 1, *, exclusive_only: bool = False
) -> int | None:
    """Return the least price, no lower than `least_minor`, at which an order that shares so would have bought the lead.

    None when no price would have: it was made for somebody, or it is sold the other way only. Candidates come in the
    order in which they were considered; those with a refusal could not buy.
    """
    if exclusive_only and max_share > 1:
        return None
    buyers: dict[UUID, int] = {}
    able = tuple(
        Candidate(UUID(int=turn), UUID(int=buyers.setdefault(one.buyer_id, len(buyers))), one.price_minor,
                  one.max_share, _EPOCH + timedelta(seconds=turn), None, one.priority, is_deal=one.is_deal)
        for turn, one in enumerate(candidates)
        if one.refusal is None and not (exclusive_only and one.max_share > 1)
    )  # fmt: skip
    return _least(able, rules, max_share, max(least_minor, 1))


@lru_cache(maxsize=50_000)
def _least(able: tuple[Candidate, ...], rules: Rules, max_share: int, least: int) -> int | None:
    """Look the price up between the least and one that nobody here outbids: whoever wins with less wins with more."""
    if any(one.is_deal for one in able):
        return None
    prices = range(least, max(value_of(able) + 1, least) + 1)
    place = bisect_left(prices, True, key=lambda price: _wins(able, rules, max_share, price))
    return prices[place] if place < len(prices) else None


def _wins(able: tuple[Candidate, ...], rules: Rules, max_share: int, price: int) -> bool:
    more = Candidate(_ONE_MORE, _ONE_MORE, price, max_share, _LAST)
    return more in best_of(ranked([*able, more], rules.rule), rules)
