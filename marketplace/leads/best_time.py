"""When a person wants to be called, read from the form's free text as far as a few plain ways of saying it go.

An RFC 3339 instant; a span or an hour of the day (`09:00-12:00`, `9h-12h`, `18:00`); morning, afternoon or evening;
any time. What is said otherwise is noted as not understood and moves nothing.
"""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.clock import from_rfc3339

LATEST = timedelta(days=30)  # a call that is wanted later is somebody's mistake
_HOUR = r"(\d{1,2})(?:[:.h](\d{2})?)?\s*(?:h|uhr|uur)?"
_SPAN = re.compile(rf"{_HOUR}\s*(?:-|\u2013|\u2014|to|a|bis|tot)\s*{_HOUR}", re.ASCII)
_FROM = re.compile(
    r"(?:after|from|apres|des|vanaf|na|ab|nach|despues de las)?\s*(\d{1,2})(?:[:h](\d{2})?)(?:\s*(?:uhr|uur))?"
)
_DAYTIMES = {
    (time(8), time(12)): "morning am matin matinee ochtend voormiddag morgens vormittag manana",
    (time(12), time(18)): "afternoon pm apres-midi aprem middag namiddag nachmittag tarde",
    (time(18), time(21)): "evening soir soiree avond abend noche",
}
_WORDS = {word: span for span, words in _DAYTIMES.items() for word in words.split()}
_FILLING = re.compile(r"^(?:in the|at|the|le|la|l'|en|dans|in de|de|s|'s|am|por la|a la|en la|im)\s+|\s*\.$")
_ANY = frozenset({
    "any", "anytime", "any time", "whenever", "always", "asap", "as soon as possible", "now", "toujours",
    "n'importe quand", "peu importe", "altijd", "jederzeit", "egal", "cualquier hora",
})  # fmt: skip


def wanted_at(said: str | None, zone: str, at: datetime) -> datetime | None:
    """Return from when the person wants a call, `at` itself for now or any time; None when it is not understood.

    A span that is open at `at` wants it now, one that is over wants it on the next day; an instant that has passed
    wants it now.
    """
    text = _plain(said or "")
    if not text or text in _ANY:
        return at
    try:
        instant = from_rfc3339((said or "").strip())
    except ValueError:
        span = _span_of(text)
        return None if span is None else _next(span, zone, at)
    return max(instant, at) if instant <= at + LATEST else None


def _plain(said: str) -> str:
    """Return small letters without accents and filling words."""
    letters = unicodedata.normalize("NFKD", said.strip().lower().replace("\u2019", "'"))
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _FILLING.sub("", re.sub(r"\s+", " ", text)).strip()


def _span_of(text: str) -> tuple[time, time] | None:
    if span := _WORDS.get(text) or _WORDS.get(text.removesuffix("s")):
        return span
    if found := _SPAN.fullmatch(text):
        begin, end = _time(found[1], found[2]), _time(found[3], found[4])
        return (begin, end) if begin and end and begin < end else None
    if found := _FROM.fullmatch(text):
        begin = _time(found[1], found[2])
        return (begin, time.max) if begin else None
    return None


def _time(hours: str, minutes: str | None) -> time | None:
    hour, minute = int(hours), int(minutes or 0)
    if (hour, minute) == (24, 0):
        return time.max
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _next(span: tuple[time, time], zone: str, at: datetime) -> datetime:
    begin, end = span
    local = at.astimezone(ZoneInfo(zone))
    if begin <= local.time() < end:
        return at
    day = local.date() + timedelta(days=local.time() >= end)
    return datetime.combine(day, begin, ZoneInfo(zone)).astimezone(UTC)
