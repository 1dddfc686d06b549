"""Who may be contacted for marketing, when and how often, by country: the rules as data, and the decision they make."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from heapq import merge
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import yaml
from msgspec import Meta, Struct

from core.errors import Fault, Invalid, Malformed, NotFound
from core.schemas import convert
from marketplace.catalog.holidays import WEEKDAYS, holidays_in, unknown_rules
from marketplace.catalog.regions import is_region

RULES_FILE = Path(__file__).parent / "rules" / "contact.yaml"

Channel = Literal["call", "sms", "email"]
Consent = Literal["none", "opt_in", "asked"]
"""What the person said: nothing, that such contact is welcome, or that this very contact is wanted at this time."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Span = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$(?!\n)",
                           description="hours such as 09:00-18:00")]  # fmt: skip
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="an ISO 3166-1 code, such as FR")]
Sentence = Annotated[str, Meta(min_length=3, max_length=400)]
MOST_DAYS_AHEAD = 30


class Attempts(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a person may be contacted within how many days."""

    count: Annotated[int, Meta(ge=1, le=100)]
    days: Annotated[int, Meta(ge=1, le=366)]


class ChannelRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rule of one channel; no `hours` at all is any time, `confirmed` false asks the operator to confirm it."""

    needs: Literal["none", "opt_in"]
    hours: dict[Weekday, tuple[Span, ...]] | None
    rests_on_holidays: bool
    lifts_hours: bool
    attempts: Attempts | None
    source: Sentence
    confirmed: bool
    after_refusal_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    note: Sentence | None = None


class CountryRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a country asks; a contact must be allowed in all `zones` unless the person's is known."""

    zones: Annotated[tuple[str, ...], Meta(min_length=1)]
    regulators: tuple[str, ...]
    do_not_call: tuple[str, ...]
    holidays: tuple[str, ...]
    holidays_confirmed: bool
    call: ChannelRule
    sms: ChannelRule
    email: ChannelRule

    def channel(self, name: Channel) -> ChannelRule:
        """Return the rule of a channel."""
        rule: ChannelRule = getattr(self, name)
        return rule


class Verdict(NamedTuple):
    """Whether a contact is allowed, the rule that says so, and when it is allowed next (None: not without consent)."""

    allowed: bool
    rule: str
    next_at: datetime | None


@cache
def contact_rules() -> Mapping[str, CountryRules]:
    """Read the rules that come with the program, once."""
    return read_contact_rules(RULES_FILE.read_text(encoding="utf-8"))


def read_contact_rules(text: str) -> dict[str, CountryRules]:
    """Read rules from YAML; Invalid `invalid_contact_rules` names every fault."""
    try:
        rules = convert(
            yaml.load(text, yaml.CSafeLoader), dict[Country, CountryRules]
        )  # as safe, and ten times as fast
    except Malformed as error:
        raise Invalid("invalid_contact_rules", "The rules of contact have faults.", error.faults) from None
    if faults := [fault for country, one in rules.items() for fault in _faults(country, one)]:
        raise Invalid("invalid_contact_rules", "The rules of contact have faults.", faults)
    return rules


def get_contact_rules(country: str) -> CountryRules:
    """Return a country's rules; NotFound when none are known, which is no permission."""
    rules = contact_rules().get(country)
    if rules is None:
        raise NotFound(detail=f"No rules are known for it; they are for {', '.join(contact_rules())}.")
    return rules


def may_contact(
    country: str, channel: Channel, at: datetime, consent: Consent, zone: str | None = None,
    rules: Mapping[str, CountryRules] | None = None,
) -> Verdict:  # fmt: skip
    """Decide whether a person may be contacted at `at`; an unknown country forbids.

    The wall clock at the person decides, through changes of the clock too; without `zone` it must be a good time in
    every zone of the country. Lists of objections and earlier attempts are for the caller to look at.
    """
    of_country = (contact_rules() if rules is None else rules).get(country)
    if of_country is None:
        return Verdict(False, "country_unknown", None)
    rule = of_country.channel(channel)
    if rule.needs == "opt_in" and consent == "none":
        return Verdict(False, "opt_in_needed", None)
    if rule.hours is None or (consent == "asked" and rule.lifts_hours):
        return Verdict(True, "any_time" if rule.hours is None else "asked_for_it", at)
    zones = [ZoneInfo(name) for name in ((zone,) if zone else of_country.zones)]
    reasons = [_closed_by(rule, of_country.holidays, place, at) for place in zones]
    if not any(reasons):
        return Verdict(True, "within_hours", at)
    return Verdict(False, next(filter(None, reasons)), _next_open(rule, of_country.holidays, zones, at))


def _closed_by(rule: ChannelRule, holidays: tuple[str, ...], place: ZoneInfo, at: datetime) -> str | None:
    """Return why it is a bad time in a zone, None for a good one."""
    day = at.astimezone(place).date()
    if rule.rests_on_holidays and day in holidays_in(day.year, holidays):
        return "public_holiday"
    if not (rule.hours or {}).get(_weekday(day)):
        return "day_of_rest"
    return None if any(opens <= at < closes for opens, closes in _open_spans(rule, place, day)) else "outside_hours"


def _open_spans(rule: ChannelRule, place: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime]]:
    for span in (rule.hours or {}).get(_weekday(day), ()):
        opens, closes = span.split("-")
        yield _instant(day, opens, place), _instant(day, closes, place)


def _instant(day: date, text: str, place: ZoneInfo) -> datetime:
    """Return the instant of a wall time, the first of two; one that is skipped is the change of the clock itself."""
    minutes = int(text[:2]) * 60 + int(text[3:])
    wall = datetime(day.year, day.month, day.day, tzinfo=place) + timedelta(minutes=minutes)
    early, late = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    return early if early <= late else _change_between(late, early, place)


def _change_between(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    offset = after.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(place).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def _next_open(rule: ChannelRule, holidays: tuple[str, ...], zones: list[ZoneInfo], at: datetime) -> datetime | None:
    """Return the next instant that is good in every zone: such an instant is an opening in one of them."""
    openings = merge(*(_openings(rule, place, at.astimezone(place).date()) for place in zones))
    return next(
        (each for each in openings if each > at and not any(_closed_by(rule, holidays, zone, each) for zone in zones)),
        None,
    )


def _openings(rule: ChannelRule, place: ZoneInfo, today: date) -> Iterator[datetime]:
    for ahead in range(-1, MOST_DAYS_AHEAD):
        yield from sorted(opens for opens, _ in _open_spans(rule, place, today + timedelta(days=ahead)))


def _weekday(day: date) -> Any:
    return WEEKDAYS[day.weekday()]


def _faults(country: str, rules: CountryRules) -> Iterator[Fault]:
    if not is_region(country):
        yield Fault(country, "unknown_region", "Send an ISO 3166-1 code in capitals, such as FR.")
    for zone in rules.zones:
        if zone not in available_timezones():
            yield Fault(f"{country}.zones", "unknown_timezone", "Send an IANA zone, such as Europe/Paris.")
    for holiday in unknown_rules(rules.holidays):
        says = f"Send {holiday!r} as month-day, easter+days, or such as 1 mon 05."
        yield Fault(f"{country}.holidays", "bad_format", says)
    for name in ("call", "sms", "email"):
        for day, spans in (rules.channel(name).hours or {}).items():
            if any(span[:5] >= span[6:] for span in spans):
                yield Fault(f"{country}.{name}.hours.{day}", "bounds_reversed", "Let the hours end after they begin.")
