"""One page of a shelf of orders, as sets of orders held in the bits of whole numbers.

The best order of the page is the highest bit. Who takes a hot lead, who takes a student, who is open this minute: each
is one number, a few ANDs leave the orders worth a look, and what bits cannot say is then asked of each of them.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct, structs

from marketplace.orders import filters, where
from marketplace.orders.ages import Aging
from marketplace.orders.contact_hours import may_call
from marketplace.orders.filters import Filter, Key, Predicate
from marketplace.orders.periods import in_spans, minute_of_week, spans_of
from marketplace.orders.prices import compile_price, compile_steps, highest_price
from marketplace.orders.terms import OrderTerms


class Listed(Struct, frozen=True):
    """One version of an order as it stands in the book; `offered_minor` is what it pays for one lead, once known.

    Without modifiers of its price it pays the same for every lead. With a ladder as well, `offered_steps` are what it
    pays for the lead at its own price and at each step, and `offered_minor` is the most of them.
    """

    order_id: UUID
    buyer_id: UUID
    version: int
    terms: OrderTerms
    offered_minor: int | None = None
    offered_steps: tuple[int, ...] | None = None

    @property
    def price_minor(self) -> int:
        """Return what it pays for the lead, or for any."""
        return self.terms.price_minor if self.offered_minor is None else self.offered_minor


class LeadFacts(Struct, frozen=True):
    """What orders may judge a lead by; `regions` is its region first, then every region that holds it.

    `fields` is laid out by `filters.lead_fields`. `min_price_minor` is the lowest price an order must bid,
    `asked_minor` what the publisher asks of it, after the platform's margin; `suppressed` are the buyers who have the
    person on a list that keeps leads away, `aging` what is known of a lead that is offered again.
    """

    regions: tuple[str, ...]
    fields: Mapping[str, Any]
    score: int
    temperature: str
    contact_class: str
    verified: bool = False
    exclusive_only: bool = False
    min_price_minor: int = 0
    asked_minor: int = 0
    publisher_id: UUID | None = None
    suppressed: frozenset[UUID] = frozenset()
    aging: Aging | None = None


class Entry:
    """An order on its shelf; `rank` orders entries by the highest price they may pay, falling, then by order id."""

    __slots__ = ("areas", "highest", "is_compiled", "listed", "price", "rank", "rest", "steps", "whole")

    def __init__(self, listed: Listed) -> None:
        self.listed = listed
        self.price = compile_price(listed.terms) if listed.terms.modifiers else None
        self.steps = compile_steps(listed.terms) if self.price and listed.terms.ladder else None
        self.highest = highest_price(listed.terms)
        self.rank = (-self.highest, listed.order_id.int)
        self.is_compiled = False
        self.whole: Predicate | None = None
        self.rest: Predicate | None = None
        self.areas: tuple[frozenset[Any] | None, frozenset[Any] | None] = (None, None)

    def compile(self) -> None:
        """Prepare the tests of all conditions (`whole`), and of those that a page cannot hold in bits (`rest`)."""
        if self.is_compiled:
            return
        terms = self.listed.terms
        by_code = [where.in_postal(terms.postal_prefixes)] if terms.postal_prefixes else []
        around = [where.in_circle(terms.radius)] if terms.radius is not None else []
        exactly = [] if where.are_areas(terms.postal_prefixes) else by_code
        conditions = terms.filters
        self.whole = filters.all_of([*by_code, *around, *map(filters.compile_filter, conditions)])
        unlisted = (each for each in conditions if not filters.is_listing(each))
        self.rest = filters.all_of([*exactly, *around, *map(filters.compile_filter, unlisted)])
        self.areas = (
            where.areas_of_prefixes(terms.postal_prefixes) if terms.postal_prefixes else None,
            where.areas_of_circle(terms.radius) if terms.radius else None,
        )
        self.is_compiled = True

    def most(self, fields: Mapping[str, Any]) -> int:
        """Return the most that an order whose price goes by the lead pays for one with these fields."""
        if self.steps is not None:
            return max(self.steps(fields))
        return self.listed.price_minor if self.price is None else self.price(fields)

    def offered(self, minor: int, fields: Mapping[str, Any]) -> Listed:
        """Return the order with what it pays for one lead."""
        if self.price is None:
            return self.listed
        steps = self.steps(fields) if self.steps else None
        return structs.replace(self.listed, offered_minor=minor, offered_steps=steps)


class _FieldBits(NamedTuple):
    """Which orders take a missing field, which any value they do not name, and where a named value turns that."""

    path: str
    missing: int
    unnamed: int
    turns: dict[Key, int]


class _Areas(NamedTuple):
    """Which orders buy wherever a lead lives, and which may buy in one coarse area."""

    anywhere: int
    inside: dict[Any, int]


class _Bits(Struct):
    """Everything a page knows in bits, made when the page is first asked."""

    scores: list[int]
    by_score: list[int]
    fields: list[_FieldBits]
    postal: _Areas
    circles: _Areas
    contact_hours: int
    schedules: dict[tuple[str, tuple[int, ...]], int]
    by_kind: dict[tuple[str, str, bool, bool], int]
    always_open: int
    open_at: tuple[int, int]


class Page:
    """Some hundred orders in rank order."""

    __slots__ = ("_bits", "best_price", "entries")

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.best_price = entries[0].highest
        self._bits: _Bits | None = None

    def wanting(self, facts: LeadFacts, minute: int) -> Iterator[Entry]:
        """Yield, in rank order, the orders that want a lead in this minute (since 1970), whatever they pay."""
        bits = self._bits or self._make_bits()
        left = self._of_kind(bits, facts) & bits.by_score[bisect_right(bits.scores, facts.score)]
        left &= self._open(bits, minute, facts.regions[0])
        fields, in_bits = facts.fields, True
        if bits.postal.inside or bits.circles.inside:
            left &= _reaching(bits, fields)
        for path, missing, unnamed, turns in bits.fields:
            if not left:
                return
            value = fields.get(path)
            if not value and (value is None or value == ""):
                left &= missing
            elif type(value) is str:  # as key_of says, without the call: nearly every field is a text
                left &= unnamed ^ turns.get(("text", value.casefold()), 0)
            elif isinstance(value, (list, tuple)):
                in_bits = False  # several values: a condition holds when one of them satisfies it
            else:
                left &= unnamed ^ turns.get(filters.key_of(value), 0)
        entries, size = self.entries, len(self.entries)
        while left:
            length = left.bit_length()
            left ^= 1 << length - 1
            entry = entries[size - length]
            test = entry.rest if in_bits else entry.whole
            if test is None or test(fields):
                yield entry

    def _make_bits(self) -> _Bits:
        for entry in self.entries:
            entry.compile()
        scores = sorted({entry.listed.terms.min_score for entry in self.entries})
        by_score = [0] + [self._where([e.listed.terms.min_score <= score for e in self.entries]) for score in scores]
        schedules: dict[tuple[str, tuple[int, ...]], int] = {}
        for place, entry in enumerate(self.entries):
            schedule = entry.listed.terms.schedule
            if schedule is not None and schedule.windows:
                key = (schedule.timezone, spans_of(schedule.windows))
                schedules[key] = schedules.get(key, 0) | self._bit(place)
        always = self._where([True] * len(self.entries)) ^ _union(schedules.values())
        postal, circles = (self._areas([entry.areas[which] for entry in self.entries]) for which in (0, 1))
        calls = self._where([entry.listed.terms.contact_hours for entry in self.entries])
        self._bits = _Bits(scores, by_score, self._field_bits(), postal, circles, calls, schedules, {}, always, (-1, 0))
        return self._bits

    def _areas(self, asked: list[frozenset[Any] | None]) -> _Areas:
        """Hold in bits which orders may buy in each coarse area; where exactly is then asked of each."""
        inside: dict[Any, int] = {}
        for place, areas in enumerate(asked):
            for area in areas or ():
                inside[area] = inside.get(area, 0) | self._bit(place)
        return _Areas(self._where([areas is None for areas in asked]), inside)

    def _field_bits(self) -> list[_FieldBits]:
        """Hold the listing conditions in bits, field by field; several of one order on one field are one answer."""
        found: dict[str, dict[int, list[Filter]]] = {}
        for place, entry in enumerate(self.entries):
            for each in entry.listed.terms.filters:
                if filters.is_listing(each):
                    found.setdefault(each.field, {}).setdefault(place, []).append(each)
        everyone = self._where([True] * len(self.entries))
        return [self._bits_of_field(path, asking, everyone) for path, asking in found.items()]

    def _bits_of_field(self, path: str, asking: dict[int, list[Filter]], everyone: int) -> _FieldBits:
        missing, others, turns = everyone, everyone, dict[Key, int]()
        for place, conditions in asking.items():
            bit = self._bit(place)
            unnamed = _all_admit(conditions, filters.NO_SUCH)
            missing ^= 0 if _all_admit(conditions, None) else bit
            others ^= 0 if unnamed else bit
            for key in frozenset().union(*map(filters.listed_keys, conditions)):
                if _all_admit(conditions, key) is not unnamed:
                    turns[key] = turns.get(key, 0) | bit
        return _FieldBits(path, missing, others, turns)

    def _of_kind(self, bits: _Bits, facts: LeadFacts) -> int:
        kind = (facts.temperature, facts.contact_class, facts.verified, facts.exclusive_only)
        found = bits.by_kind.get(kind)
        if found is None:
            found = bits.by_kind[kind] = self._where([takes_kind(e.listed.terms, facts) for e in self.entries])
        return found

    def _open(self, bits: _Bits, minute: int, region: str) -> int:
        """Return the orders that are open in a minute, of those that keep the hours for calls none outside of them."""
        found = self._by_schedule(bits, minute) if bits.schedules else bits.always_open
        if bits.contact_hours and not may_call(region, datetime.fromtimestamp(minute * 60, UTC)):
            found &= ~bits.contact_hours
        return found

    def _by_schedule(self, bits: _Bits, minute: int) -> int:
        asked, found = bits.open_at
        if asked != minute:
            at = datetime.fromtimestamp(minute * 60, UTC)
            local = {zone: minute_of_week(zone, at) for zone, _ in bits.schedules}
            found = bits.always_open | _union(
                orders for (zone, spans), orders in bits.schedules.items() if in_spans(spans, local[zone])
            )
            bits.open_at = (minute, found)
        return found

    def _bit(self, place: int) -> int:
        return 1 << len(self.entries) - 1 - place

    def _where(self, flags: Sequence[bool]) -> int:
        return int("".join("1" if flag else "0" for flag in flags), 2)


def takes_kind(terms: OrderTerms, facts: LeadFacts) -> bool:
    """Tell whether an order takes leads of this temperature, contact class, verification and exclusiveness."""
    return (
        (not terms.temperatures or facts.temperature in terms.temperatures)
        and (not terms.contact_classes or facts.contact_class in terms.contact_classes)
        and (facts.verified or not terms.verified_only)
        and (terms.exclusive or not facts.exclusive_only)
    )


def _reaching(bits: _Bits, fields: Mapping[str, Any]) -> int:
    """Return the orders that may buy where the lead lives: a few too many, none too few."""
    by_code, around = bits.postal.anywhere, bits.circles.anywhere
    for area in where.postal_areas(fields) if bits.postal.inside else ():
        by_code |= bits.postal.inside.get(area, 0)
    return by_code & (around | bits.circles.inside.get(where.circle_area(fields), 0))


def _all_admit(conditions: list[Filter], key: Key | None) -> bool:
    return all(filters.admits(each, key) for each in conditions)


def _union(sets: Any) -> int:
    union = 0
    for each in sets:
        union |= each
    return union
