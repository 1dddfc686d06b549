"""The sample market as it is played: its table at some scale, and who does what in it."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property
from heapq import merge
from typing import NamedTuple

from marketplace.catalog.verticals import read_shipped
from marketplace.demo.behaviour import NOTES, Rules
from marketplace.demo.market import Buyer, Publisher, SampleMarket, sample_market
from marketplace.demo.scale import scaled
from marketplace.demo.traffic import Sent, leads_of

OPERATOR = "Leadbourse"


class Posting(NamedTuple):
    """A lead and who posts it."""

    sent: Sent
    publisher: Publisher


class Cast:
    """Everybody in the market; the same seed, scale and first day play the same."""

    def __init__(self, first_day: date, scale: float, seed: int, market: SampleMarket | None = None) -> None:
        self.market = scaled(market or sample_market(), scale)
        self.first_day, self.seed = first_day, seed
        self._rules: dict[str, Rules] = {}

    def postings(self, day: int) -> Iterator[Posting]:
        """Yield the leads of all publishers on a day of the market, in the order of time."""
        streams = [self._of(publisher, day) for publisher in self.market.publishers]
        return merge(*streams, key=lambda posting: posting.sent.at)

    def day_of(self, at: datetime) -> int:
        """Return the market's day of an instant, by the date in UTC."""
        return (at.date() - self.first_day).days

    def postings_from(self, at: datetime) -> Iterator[Posting]:
        """Yield the leads from an instant on, without end; publishers' days begin and end at their own midnight."""
        day = self.day_of(at) - 1
        streams = [self._onwards(publisher, max(day, 0), at) for publisher in self.market.publishers]
        return merge(*streams, key=lambda posting: posting.sent.at)

    def _onwards(self, publisher: Publisher, day: int, at: datetime) -> Iterator[Posting]:
        while True:
            yield from (posting for posting in self._of(publisher, day) if posting.sent.at >= at)
            day += 1

    def _of(self, publisher: Publisher, day: int) -> Iterator[Posting]:
        return (Posting(sent, publisher) for sent in leads_of(publisher, day, self.seed, self.first_day, self.market))

    def buyer(self, name: str) -> Buyer:
        """Return a buyer by its name; KeyError when there is none."""
        return self._buyers[name]

    @cached_property
    def _buyers(self) -> dict[str, Buyer]:
        return {buyer.name: buyer for buyer in self.market.buyers}

    def rules(self, slug: str) -> Rules:
        """Return what may be disputed in a vertical."""
        if slug not in self._rules:
            vertical = read_shipped(slug)
            reasons = {name: reason for name in NOTES if (reason := vertical.dispute_reason(name)) is not None}
            self._rules[slug] = Rules(vertical.window_hours, reasons)
        return self._rules[slug]

    @cached_property
    def bad_bp(self) -> int:
        """Return how much of what is sold is no good lead while only form, consent and persons are checked."""
        judged = ("mistyped", "duplicate", "weak_consent")
        bad = passed = 0.0
        for publisher in self.market.publishers:
            for label, rate in publisher.rates_bp.items():
                caught = self.market.caught_bp.get(label, 0) if label in judged else 0
                missed = publisher.leads_a_weekday * rate * (10_000 - caught) / 10_000
                bad += missed if label != "off_criteria" else 0
                passed -= publisher.leads_a_weekday * rate * caught / 10_000
            passed += publisher.leads_a_weekday * 10_000
        return round(bad / passed * 10_000)
