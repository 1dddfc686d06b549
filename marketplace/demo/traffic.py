"""The leads that a publisher of the sample market sends on a day, each with what it truly is.

Pure and seeded: the same publisher, day and seed always give the same leads. Whoever posts them must not pass on the
true label; the product has to find out by itself.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.demo.bodies import Sketch, body_of
from marketplace.demo.market import LABELS, Publisher, SampleMarket, TrueLabel, sample_market
from marketplace.demo.people import person_in
from marketplace.demo.phones import HOW_MANY, number_at

FIRST_DAY = date(2026, 11, 23)
ROOM = 1.25  # places for numbers a day beyond the usual, so that no busy day takes another's
DUPLICATE_WITHIN_DAYS = 3  # well inside the shortest window in which a person is a duplicate


class Sent(NamedTuple):
    """A lead on its way: when it is posted, its body for POST /leads, and what it truly is."""

    at: datetime
    body: dict[str, Any]
    true_label: TrueLabel


class _Slot(NamedTuple):
    """One lead of a day before it is written: which, when, and what it will be."""

    number: int
    at: datetime
    label: TrueLabel


def leads_of(
    publisher: Publisher, day: int, seed: int, first_day: date = FIRST_DAY, market: SampleMarket | None = None
) -> Iterator[Sent]:
    """Yield what a publisher sends on a day of the market, counted from 0, in the order of time."""
    world = _World(market or sample_market(), publisher, seed, first_day)
    for slot in world.slots(day):
        yield Sent(slot.at, body_of(world.sketch(day, slot), _dice(world, day, slot.number, "body")), slot.label)


class _World:
    """What all leads of one publisher are made from."""

    def __init__(self, market: SampleMarket, publisher: Publisher, seed: int, first_day: date) -> None:
        self.market, self.publisher, self.seed, self.first_day = market, publisher, seed, first_day
        self.slots = lru_cache(maxsize=8)(self._slots)
        self.places = [_places(each) for each in market.publishers]
        self.before = sum(self.places[: market.publishers.index(publisher)])

    def _slots(self, day: int) -> tuple[_Slot, ...]:
        on = self.first_day + timedelta(days=day)
        weight = self.market.size.weekend_bp / 10_000 if on.weekday() > 4 else 1.0
        noise = _dice(self, day, 0, "size").uniform(0.9, 1.1)
        count = min(round(self.publisher.leads_a_weekday * weight * noise), _places(self.publisher))
        slots = [_Slot(number, self._instant(on, number, day), self._label(day, number)) for number in range(count)]
        return tuple(sorted(slots, key=lambda slot: (slot.at, slot.number)))

    def _instant(self, on: date, number: int, day: int) -> datetime:
        dice = _dice(self, day, number, "instant")
        hour = dice.choices(range(24), self.market.hours)[0]
        wall = datetime.combine(on, time(hour, dice.randrange(60), dice.randrange(60)), ZoneInfo(self.publisher.zone))
        return wall.astimezone(UTC)

    def _label(self, day: int, number: int) -> TrueLabel:
        thrown = _dice(self, day, number, "label").random() * 10_000
        rates = self.publisher.rates_on(day)
        for label in LABELS[1:]:
            thrown -= rates.get(label, 0)
            if thrown < 0:
                return label
        return "good"

    def sketch(self, day: int, slot: _Slot) -> Sketch:
        """Decide all that a lead says but its wording."""
        source = self._original(day, slot) if slot.label == "duplicate" else (day, slot)
        return self._sketch(source[0], source[1], day, slot)

    def _original(self, day: int, slot: _Slot) -> tuple[int, _Slot]:
        """Find the good lead that a duplicate repeats: an earlier one of these days, else it is its own person."""
        earlier = [
            (other_day, other)
            for other_day in range(max(0, day - DUPLICATE_WITHIN_DAYS + 1), day + 1)
            for other in self.slots(other_day)
            if other.label == "good" and other.at < slot.at
        ]
        return _dice(self, day, slot.number, "original").choice(earlier) if earlier else (day, slot)

    def _sketch(self, person_day: int, person_slot: _Slot, day: int, slot: _Slot) -> Sketch:
        dice = _dice(self, person_day, person_slot.number, "person")
        region, slug = _drawn(self.publisher.regions, dice), _drawn(self.publisher.verticals, dice)
        place = self._place(person_day, person_slot.number)
        return Sketch(
            label=slot.label, caught=self._is_caught(day, slot), market=self.market, publisher=self.publisher,
            vertical=_vertical(slug), region=region, person=person_in(region, place, dice),
            phone=number_at(place, self.seed), spare=number_at(self._place(day, slot.number), self.seed), at=slot.at,
            external_id=f"{self.publisher.slug}-{day}-{slot.number}",
            repeats=person_slot is not slot,
        )  # fmt: skip

    def _is_caught(self, day: int, slot: _Slot) -> bool:
        """Tell whether the lead shows what it is, as often as the market says that such are caught."""
        caught = self.market.caught_bp.get(slot.label, 0)
        return _dice(self, day, slot.number, "caught").random() * 10_000 < caught

    def _place(self, day: int, number: int) -> int:
        """Return the place in the order of numbers; it is another lead's only after all have been used."""
        all_places: int = sum(self.places)
        return day % (HOW_MANY // all_places) * all_places + self.before + number


def _places(publisher: Publisher) -> int:
    return int(publisher.leads_a_weekday * ROOM) + 1


def _dice(world: _World, day: int, number: int, use: str) -> Random:
    """Return a source of chance of one lead's one use, so that no draw moves another."""
    return Random(f"{world.seed} {world.publisher.slug} {day} {number} {use}")


def _drawn(weights: Mapping[str, int], dice: Random) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]


@cache
def _vertical(slug: str) -> Vertical:
    return read_shipped(slug)
