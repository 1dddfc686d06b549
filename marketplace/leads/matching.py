"""Which orders of one vertical want a lead, best price first: an index in memory, rebuilt when the book moves.

The index is advice: it knows the terms of orders, not their counters, funds or last purchase, on which the sale decides
in the database. So it hands out whole price tiers, inside which the sale ranks by last purchase.

Orders stand on shelves, one for each region they name, in rank order (the highest price they may pay, then id). What a
lead's region and all regions that hold it have on their shelves is merged into one view, page by page (`pages.py`),
only as far as asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from heapq import heappop, heappush, merge
from itertools import islice
from operator import attrgetter
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec

from marketplace.leads.pages import Entry, LeadFacts, Listed, Page
from marketplace.leads.verdicts import WANTED, Verdict, judge, price_of, verdict_of, verdicts
from marketplace.orders.prices import highest_price

__all__ = ["Book", "LeadFacts", "Listed", "Shortlist", "Verdict"]

PAGE = 256
MAX_HELD = 1_000_000  # entries in all views of a book, at 8 bytes: beyond it the views start anew
EVERYWHERE = ""

_rank = attrgetter("rank")


class Shortlist(Iterator[Listed]):
    """The orders that want one lead, best price for it first, then by order id; found as they are asked for."""

    def __init__(self, found: Iterator[Listed]) -> None:
        self._found = found
        self._ahead: Listed | None = None
        self.best: Listed | None = None  # the first of the batches
        self.offered: list[Listed] = []  # where turns decide, who of them came first

    def __next__(self) -> Listed:
        """Return the next order."""
        listed, self._ahead = self._ahead or next(self._found), None
        return listed

    def batch(self, at_least: int = 32) -> tuple[list[Listed], bool]:
        """Return the next orders, never part of a price tier, and whether these were the last.

        When no order is left, or none wants the lead, the batch is empty and the last.
        """
        taken = list(islice(self, at_least))
        self.best = self.best or next(iter(taken), None)
        self._ahead = next(self._found, None)
        while self._ahead is not None and self._ahead.price_minor == taken[-1].price_minor:
            taken.append(self._ahead)
            self._ahead = next(self._found, None)
        return taken, self._ahead is None


class Book:
    """All orders of one vertical at one `version` of its book; its orders never change, and threads may share it.

    `earlier` is the book this one replaces: what did not change is taken over, which makes rebuilding cheap.
    """

    def __init__(self, orders: Iterable[Listed], version: int = 0, earlier: "Book | None" = None) -> None:
        known: dict[UUID, Entry] = earlier._entries if earlier else {}  # noqa: SLF001  # another of this class
        self.version = version
        self.asks_places = False
        self._entries: dict[UUID, Entry] = {listed.order_id: _entry(listed, known) for listed in orders}
        self._views: dict[tuple[str, ...], _View] = {}
        self._earlier_views: dict[tuple[str, ...], _View] = dict(earlier._views) if earlier else {}  # noqa: SLF001
        everybody = sorted(self._entries.values(), key=_rank)
        self.orders = tuple(entry.listed for entry in everybody)
        self._deals: dict[UUID, list[Listed]] = {}
        for one in self.orders:
            if one.terms.deal is not None:
                self._deals.setdefault(one.terms.deal.publisher_id, []).append(one)
        self.aging = tuple(one for one in self.orders if one.terms.age is not None or one.terms.wait_minutes)
        ranked = [one for one in everybody if one.listed.terms.deal is None and not one.listed.terms.is_aged_only]
        self._shelves: dict[str, list[Entry]] = {}
        for entry in ranked:
            if entry.listed.terms.status == "active":
                self.asks_places |= entry.listed.terms.radius is not None
                for region in set(entry.listed.terms.regions) or (EVERYWHERE,):
                    self._shelves.setdefault(region, []).append(entry)

    def __len__(self) -> int:
        """Return the number of orders, paused ones included."""
        return len(self.orders)

    def candidates(self, facts: LeadFacts, at: datetime) -> Shortlist:
        """Return the orders that want this lead at this instant, best price first."""
        view = self._views.get(facts.regions) or self._open_view(facts.regions)
        return Shortlist(_walk(view, facts, int(at.timestamp()) // 60))

    def deals(self, facts: LeadFacts, at: datetime) -> list[Listed]:
        """Return the private deals with the lead's publisher that want it at this instant, best price first."""
        own = self._deals.get(facts.publisher_id) if self._deals and facts.publisher_id else None
        wanted = (
            (entry := self._entries[one.order_id]).offered(entry.most(facts.fields), facts.fields) for one in own or ()
            if one.buyer_id not in facts.suppressed and judge(one.terms, facts, at)[0] == WANTED
        )  # fmt: skip
        return sorted(wanted, key=lambda one: (-one.price_minor, one.order_id.int))

    def aging_for(self, facts: LeadFacts) -> list[Listed]:
        """Return the orders of aged leads and those that wait, without private deals with other publishers."""
        return [
            one for one in self.aging if one.terms.deal is None or one.terms.deal.publisher_id == facts.publisher_id
        ]

    def again(self, facts: LeadFacts, at: datetime) -> list[Listed]:
        """Return the orders that want a lead that is offered again, each with what it pays, the dearest first."""
        wanted = [
            msgspec.structs.replace(one, offered_minor=price_of(one.terms, facts))
            for one in self.aging_for(facts) if verdict_of(one, facts, at)[0] == WANTED
        ]  # fmt: skip
        return sorted(wanted, key=lambda one: (-one.price_minor, one.order_id.int))

    @cached_property
    def has_ladders(self) -> bool:
        """Whether some order's price falls with what it buys, so that only its counters know the price."""
        return any(one.terms.ladder is not None for one in self.orders)

    @cached_property
    def together(self) -> tuple[int, ...]:
        """What the best of those who share with as many may pay in all, for each number of buyers that orders allow."""
        sharing = [one for one in self.orders if one.terms.max_share > 1 and one.terms.status == "active"]
        best = [dict[UUID, int]() for _ in range(max((one.terms.max_share for one in sharing), default=0))]
        for one in sharing:
            for buyers, members in enumerate(best[: one.terms.max_share], 1):
                if len(members) < buyers:
                    members.setdefault(one.buyer_id, highest_price(one.terms))
        return tuple(sum(members.values()) for members in best)

    def verdicts(self, facts: LeadFacts, at: datetime) -> list[Verdict]:
        """Return for every order, in rank order, whether it wants this lead or why not; slow, for the why page."""
        return verdicts(self.orders, facts, at)

    def _open_view(self, regions: tuple[str, ...]) -> "_View":
        views = self._views
        if sum(view.held for view in list(views.values())) > MAX_HELD:
            views = self._views = {}
        shelves = [self._shelves.get(region, []) for region in {*regions, EVERYWHERE}]
        earlier = self._earlier_views.pop(regions, None)
        return views.setdefault(regions, _View(shelves, earlier.pages if earlier else []))


class _View:
    """The orders of some shelves in one ranking, without repeats, merged page by page as far as anybody asked."""

    __slots__ = ("_earlier", "_lock", "_merged", "held", "pages")

    def __init__(self, shelves: list[list[Entry]], earlier: list[Page]) -> None:
        self._merged = _without_repeats(merge(*shelves, key=_rank))
        self._earlier = earlier
        self._lock = Lock()
        self.held = 0
        self.pages: list[Page] = []

    def turn_to(self, number: int) -> Page | None:
        """Return a page, the first being 0; None past the end. Pages are asked for one after the other."""
        if number < len(self.pages):
            return self.pages[number]
        with self._lock:
            if number == len(self.pages):
                entries = list(islice(self._merged, PAGE))
                if not entries:
                    return None
                old = self._earlier[number] if number < len(self._earlier) else None
                self.pages.append(old if old is not None and old.entries == entries else Page(entries))
                self.held += len(entries)
            return self.pages[number]


def _walk(view: _View, facts: LeadFacts, minute: int) -> Iterator[Listed]:
    """Yield the orders that want the lead by what they pay for it, though pages are in the order of what they may pay.

    An order that pays less than its highest price waits until nobody who is still to come could pay more.
    """
    floor, fields, suppressed, number = facts.min_price_minor, facts.fields, facts.suppressed, 0
    waiting: list[tuple[int, int, Entry]] = []  # a heap, best first
    while (page := view.turn_to(number)) is not None and page.best_price >= floor:
        while waiting and waiting[0][:2] < page.entries[0].rank:
            yield _popped(waiting, fields)
        for entry in page.wanting(facts, minute):
            if entry.highest < floor:
                break  # and so is whoever comes after it
            while waiting and waiting[0][:2] < entry.rank:
                yield _popped(waiting, fields)
            if suppressed and entry.listed.buyer_id in suppressed:
                continue
            if entry.price is None:
                yield entry.listed
            elif (minor := entry.most(fields)) >= floor:
                heappush(waiting, (-minor, entry.rank[1], entry))
        number += 1
    while waiting:
        yield _popped(waiting, fields)


def _popped(waiting: list[tuple[int, int, Entry]], fields: Mapping[str, Any]) -> Listed:
    minor, _, entry = heappop(waiting)
    return entry.offered(-minor, fields)


def _without_repeats(entries: Iterable[Entry]) -> Iterator[Entry]:
    last = None
    for entry in entries:  # an order that names a region and its country stands on both shelves, at the same rank
        if entry is not last:
            yield entry
        last = entry


def _entry(listed: Listed, known: dict[UUID, Entry]) -> Entry:
    entry = known.get(listed.order_id)
    return entry if entry is not None and entry.listed == listed else Entry(listed)
