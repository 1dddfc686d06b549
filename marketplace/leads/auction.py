"""The choice of who buys one lead: pure, exact, and the model that the sale in the database is tested against.

Candidates rank by the vertical's rule: by price, by the operator's priority, by whose turn it is, by who has got least
of a target share, or by price within each priority. Those that rank equally go by who has gone longest without a
purchase (never first), then by order id.

One buyer alone is the first exclusive candidate that can buy. Several are, for each number k, the first k of different
buyers who share with k or more; the number that pays most counts, the smaller one of equals. The contest decides
between the two: by what the publisher's lead brings in all, by who ranks first, or for one of them, with or without
falling back on the other. Private deals come before all of this: the best of them that can buy gets the lead alone.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from msgspec import Struct

_NEVER = datetime.min.replace(tzinfo=UTC)
_LAST = 2**63  # for whom the operator has said no priority

BEST_PRICE, PRIORITY, ROUND_ROBIN, WEIGHTED, TIERS = "best_price", "priority", "round_robin", "weighted", "tiers"
TOTAL_VALUE, FIRST, EXCLUSIVE, SHARED = "total_value", "first", "exclusive", "shared"
EXCLUSIVE_ONLY, SHARED_ONLY = "exclusive_only", "shared_only"
SOLD, OUTBID, SHARE_FULL, FILTERED, OTHER_WAY = "sold", "outbid", "share_full", "filtered", "other_way"
CHOSEN = (SOLD, OUTBID, SHARE_FULL, OTHER_WAY)  # what the choice itself says; all else kept a candidate from buying


class Candidate(Struct, frozen=True):
    """An order that wants the lead, with what its counters and its buyer's wallet say now.

    `max_share` 1 means exclusive. `refusal` is why it cannot buy (capped, no_funds, duplicate …), None when it can. A
    deal is private with the lead's publisher, and exclusive. `received` are the leads that count against
    `target_share`; both, and `priority`, are None where nothing was said.
    """

    order_id: UUID
    buyer_id: UUID
    price_minor: int
    max_share: int
    last_sold_at: datetime | None = None
    refusal: str | None = None
    priority: int | None = None
    target_share: int | None = None
    received: int = 0
    is_deal: bool = False


class Rules(Struct, frozen=True):
    """How a vertical chooses: the rule of the ranks, the contest, and the most buyers that may share a lead."""

    rule: str = BEST_PRICE
    contest: str = TOTAL_VALUE
    most_buyers: int = 5


BY_PRICE = Rules()
PRIVATE = Rules(contest=EXCLUSIVE_ONLY)  # among deals


class Chosen(Struct, frozen=True):
    """Who buys, in rank order, and the outcome of every candidate, in the order considered."""

    orders: tuple[UUID, ...]
    outcomes: tuple[tuple[UUID, str], ...]


def ranked(candidates: Iterable[Candidate], rule: str = BEST_PRICE) -> list[Candidate]:
    """Return the candidates in the order in which they are considered."""

    def rank(each: Candidate) -> tuple[Any, ...]:
        priority = _LAST if each.priority is None else each.priority
        share = (1, Fraction(0)) if each.target_share is None else (0, Fraction(each.received, each.target_share))
        by_rule = {BEST_PRICE: (-each.price_minor,), PRIORITY: (priority,), ROUND_ROBIN: (), WEIGHTED: share,
                   TIERS: (priority, -each.price_minor)}[rule]  # fmt: skip
        return (*by_rule, each.last_sold_at or _NEVER, each.order_id.int)

    return sorted(candidates, key=rank)


def choose(candidates: Iterable[Candidate], rules: Rules = BY_PRICE, *, exclusive_only: bool = False) -> Chosen:
    """Choose the buyers of one lead; nobody when no candidate can buy.

    Outcomes: sold; the candidate's own refusal; outbid (one buyer alone was worth more, or several were, or the same
    buyer has the lead by a higher order); share_full (the set, or this order, allows no further buyer); other_way
    (leads of the vertical are sold to one buyer only, or to several only); filtered (a shared order, and the lead
    itself is exclusive).
    """
    given = list(candidates)
    deals = [each for each in given if each.is_deal]
    if deals:
        first, rest = _chosen(deals, PRIVATE, exclusive_only), [each for each in given if not each.is_deal]
        then = Chosen((), _outbid(rest, rules)) if first.orders else _chosen(rest, rules, exclusive_only)
        return Chosen(first.orders + then.orders, first.outcomes + then.outcomes)
    return _chosen(given, rules, exclusive_only)


def _chosen(candidates: Iterable[Candidate], rules: Rules, exclusive_only: bool) -> Chosen:
    order = ranked(candidates, rules.rule)
    able = [each for each in order if each.refusal is None and not (exclusive_only and each.max_share > 1)]
    buying = best_of(able, rules)
    outcomes = tuple((each.order_id, _outcome(each, buying, rules, exclusive_only)) for each in order)
    return Chosen(tuple(each.order_id for each in buying), outcomes)


def best_of(able: Sequence[Candidate], rules: Rules) -> list[Candidate]:
    """Return what those who can buy, in rank order, make of a lead: one buyer alone, several, or nobody."""
    alone = next(([each] for each in able if each.max_share == 1), [])
    if not able or rules.contest == EXCLUSIVE_ONLY:
        return alone
    most = rules.most_buyers if rules.contest != FIRST else min(rules.most_buyers, able[0].max_share)
    sets = [_set_of(able, buyers) for buyers in range(1, most + 1)]
    several = max(sets, key=value_of)  # the first of equals
    if rules.contest == SHARED_ONLY:
        return several
    wins = {
        TOTAL_VALUE: value_of(alone) >= value_of(several), FIRST: able[0].max_share == 1, EXCLUSIVE: True,
        SHARED: not several,
    }[rules.contest]  # fmt: skip
    return alone if alone and wins else several


def is_settled(able: Sequence[Candidate], rules: Rules, next_price: int, together: int) -> bool:
    """Tell whether nobody who ranks below these by price, paying `next_price` at most, changes what they make.

    No set of several pays more than `together` in all.
    """
    best = best_of(able, rules)
    if best and best[0].max_share == 1 and rules.contest in (EXCLUSIVE, EXCLUSIVE_ONLY, FIRST):
        return True
    if not best or rules.contest in (EXCLUSIVE, EXCLUSIVE_ONLY) or (rules.contest == SHARED and best[0].max_share == 1):
        return False
    most = rules.most_buyers if rules.contest != FIRST else min(rules.most_buyers, able[0].max_share)
    begun = [_members(able, buyers) for buyers in range(1, most + 1)]
    open_at = [value_of(one) + (size - len(one)) * next_price for size, one in enumerate(begun, 1) if len(one) < size]
    several = min(max(open_at, default=-1), together)
    if best[0].max_share == 1:
        return value_of(best) >= several
    is_alone_open = rules.contest == TOTAL_VALUE and not any(each.max_share == 1 for each in able)
    return value_of(best) > max(several, next_price if is_alone_open else -1)


def value_of(buying: Sequence[Candidate]) -> int:
    """Return what a set pays in all."""
    return sum(each.price_minor for each in buying)


def _set_of(able: Sequence[Candidate], buyers: int) -> list[Candidate]:
    members = _members(able, buyers)
    return members if len(members) == buyers else []


def _members(able: Sequence[Candidate], buyers: int) -> list[Candidate]:
    """Return the first so many of different buyers who share with as many, or how many there are."""
    members: dict[UUID, Candidate] = {}
    for each in able:
        if each.max_share >= max(buyers, 2) and len(members) < buyers:
            members.setdefault(each.buyer_id, each)
    return list(members.values())


def _outbid(candidates: Iterable[Candidate], rules: Rules) -> tuple[tuple[UUID, str], ...]:
    return tuple((each.order_id, each.refusal or OUTBID) for each in ranked(candidates, rules.rule))


def _outcome(candidate: Candidate, buying: list[Candidate], rules: Rules, exclusive_only: bool) -> str:
    if exclusive_only and candidate.max_share > 1:
        return FILTERED
    if candidate.refusal is not None:
        return candidate.refusal
    if candidate in buying:
        return SOLD
    if rules.contest == (SHARED_ONLY if candidate.max_share == 1 else EXCLUSIVE_ONLY):
        return OTHER_WAY
    is_outbid = 1 in (candidate.max_share, buying[0].max_share)
    return OUTBID if is_outbid or candidate.buyer_id in {each.buyer_id for each in buying} else SHARE_FULL
