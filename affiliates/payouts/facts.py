"""What is known of publishers when they may be paid, asked for many at once: where, whether it arrives, since when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from affiliates.payouts.deciding import Facts, PayoutRules
from billing import PayoutRail, ToPay, came_back_of, paid_places, payable_since, place_of, places_of


def facts_of(
    has: Sequence[ToPay], currency: str, rules: Mapping[UUID, PayoutRules]
) -> dict[UUID, tuple[Facts, PayoutRail | None]]:
    """Return what is known of each of these in a currency, beside where he is paid, in a handful of questions."""
    ids = [one.account_id for one in has]
    (rails, shared), places, back = places_of(ids), paid_places(ids), came_back_of(ids, currency)
    since = payable_since([one.account_id for one in has if _is_small(one, rules[one.account_id])], currency)
    return {
        one.account_id: (
            _facts(
                one, rails.get(one.account_id), places.get(one.account_id, set()), since.get(one.account_id),
                is_shared=one.account_id in shared, came_back=one.account_id in back,
            ),
            rails.get(one.account_id),
        )
        for one in has
    }  # fmt: skip


def _is_small(one: ToPay, rules: PayoutRules) -> bool:
    """Tell whether it matters since when somebody waits."""
    return one.payable.minor - one.owed.minor < max(rules.threshold_minor, rules.threshold_other_minor)


def _facts(
    has: ToPay, rail: PayoutRail | None, places: set[str], since: datetime | None, *, is_shared: bool, came_back: bool
) -> Facts:
    is_new_place = bool(places) and rail is not None and place_of(rail) not in places
    return Facts(
        has.payable.minor, has.owed.minor, rail.kind if rail else None, _obstacle(rail, has.payable.currency),
        is_first=not places, since=since, is_new_place=is_new_place,
        is_shared_place=is_shared, came_back=came_back,
    )  # fmt: skip


def _obstacle(rail: PayoutRail | None, currency: str) -> str | None:
    if rail is None or (rail.state == "ready" and (rail.kind != "sepa" or currency == "EUR")):
        return None
    if rail.state == "ready":
        return "rail_other_currency"
    return rail.reason or "onboarding_unfinished"
