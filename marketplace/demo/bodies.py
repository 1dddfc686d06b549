"""The body of one sample lead: what a good one says, and how each kind of pseudo-lead differs from it."""

import string
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from core.clock import as_rfc3339
from marketplace.catalog.verticals import Vertical
from marketplace.demo.answers import answers_to
from marketplace.demo.market import Publisher, SampleMarket, TrueLabel
from marketplace.demo.people import Person, email_of
from marketplace.demo.phones import Number

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0",
)
ROBOT = "python-requests/2.32.5"
NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")  # documentation ranges, RFC 5737
PRANKS = (("Mickey", "Mouse"), ("Test", "Test"), ("Asdf", "Qwertz"), ("Père", "Noël"), ("Napoléon", "Bonaparte"))
CONSENT = "I agree that my data is passed on to companies with such offers, so that they contact me."
VAGUE = "By going on you accept our terms."
COMMENTS = ("Please call after six.", "I compare three offers.", "A colleague recommended it.", "As soon as possible.")
TIMES = ("evenings", "mornings", "lunch time", "any time", "Saturday morning")


class Sketch(NamedTuple):
    """All that is decided about a lead before it is written; `caught` tells whether it shows what it is."""

    label: TrueLabel
    caught: bool
    market: SampleMarket
    publisher: Publisher
    vertical: Vertical
    region: str
    person: Person
    phone: Number
    spare: Number
    at: datetime
    external_id: str
    repeats: bool


Body = dict[str, Any]


def body_of(sketch: Sketch, dice: Random) -> Body:
    """Write the body for POST /leads."""
    body = _good(sketch, dice)
    change = _CHANGES.get(sketch.label)
    if change:
        change(body, sketch, dice)
    return body


def _good(sketch: Sketch, dice: Random) -> Body:
    publisher = sketch.publisher
    contact_class = _drawn(publisher.classes or sketch.market.classes, dice)
    full = contact_class == "interested"
    given = sketch.at - timedelta(seconds=dice.randint(2, 90))
    channel, sub = _drawn(publisher.channels, dice), _sub(sketch, dice)
    return {
        "vertical": sketch.vertical.slug,
        "region": sketch.region,
        "contact": _contact(sketch, contact_class, full, dice),
        "attributes": answers_to(sketch.vertical, 0.9 if full else 0.3, sketch.at.date(), dice),
        "comments": dice.choice(COMMENTS) if full else None,
        "interest": _drawn(publisher.interests or sketch.market.interests, dice),
        "channel": "flyer" if contact_class == "promotional" and publisher.classes is None else channel,
        "source": {
            "name": publisher.slug if publisher.subs == 1 else f"{publisher.slug}-{sub}",
            "sub": {"1": sub}, "page_url": f"https://{publisher.slug}.example/",
            "ip": f"{dice.choice(NETWORKS)}{dice.randint(1, 254)}", "user_agent": dice.choice(BROWSERS),
            "form_seconds": round(dice.lognormvariate(3.7, 0.45) + 12, 1),
        },
        "consent": {"text": CONSENT, "given_at": as_rfc3339(given), "page_url": f"https://{publisher.slug}.example/"},
        "external_id": sketch.external_id,
    }  # fmt: skip


def _contact(sketch: Sketch, contact_class: str, full: bool, dice: Random) -> Body:
    """Write who the person is; a duplicate repeats both ways to reach them, or it would be another person."""
    person = sketch.person
    by_phone = contact_class != "registration" or sketch.repeats
    by_email = contact_class != "quick" or dice.random() < 0.5 or sketch.repeats
    return {
        "first_name": person.first_name, "last_name": person.last_name,
        "email": person.email if by_email else None, "phone": sketch.phone.e164 if by_phone else None,
        "postal_code": person.city.postal, "city": person.city.name, "language": person.language,
        "best_time": dice.choice(TIMES) if full else None,
    }  # fmt: skip


def _sub(sketch: Sketch, dice: Random) -> str:
    publisher = sketch.publisher
    if publisher.bot_sub and sketch.label == "bot" and dice.random() * 10_000 < publisher.bot_sub.share_bp:
        return publisher.bot_sub.name
    others = [f"s{number}" for number in range(1, publisher.subs + 1)]
    if publisher.bot_sub and sketch.label == "bot":
        others.remove(publisher.bot_sub.name)
    return dice.choice(others)


def _mistype(body: Body, sketch: Sketch, dice: Random) -> None:
    """Spoil a way to reach the person: unusable by its form, or well formed and nobody's."""
    contact = body["contact"]
    if not sketch.caught:
        contact["email"] = contact["email"] and contact["email"].replace("@", f"{dice.choice(string.ascii_lowercase)}@")
    elif contact["phone"] and (not contact["email"] or dice.random() < 0.6):
        contact["phone"] = contact["phone"][: -dice.randint(2, 4)]
    else:
        contact["email"] = contact["email"].replace("@", dice.choice(("@@", " @", "..@", "")))


def _automate(body: Body, sketch: Sketch, dice: Random) -> None:
    if sketch.caught:
        body["source"] |= {"form_seconds": round(dice.uniform(0.4, 3.5), 1), "user_agent": ROBOT}
        body["source"]["ip"] = f"198.51.100.{dice.randint(1, 6)}"
    body["contact"]["first_name"] = "".join(dice.choices(string.ascii_lowercase, k=7)).title()


def _hire(body: Body, sketch: Sketch, dice: Random) -> None:
    body["source"]["ip"] = f"203.0.113.{dice.randint(1, 12)}"
    if sketch.caught:
        body["source"]["form_seconds"] = round(dice.uniform(4.2, 9.5), 1)


def _prank(body: Body, sketch: Sketch, dice: Random) -> None:
    if sketch.caught:
        body["contact"]["first_name"], body["contact"]["last_name"] = dice.choice(PRANKS)


def _compete(body: Body, sketch: Sketch, dice: Random) -> None:
    if sketch.caught:
        body["contact"]["company"] = dice.choice(("Rival & Sons", "Concurrent SARL", "Competidor SL"))


def _miss_criteria(body: Body, sketch: Sketch, dice: Random) -> None:
    body["region"] = dice.choice(sketch.market.off_regions)


def _weaken_consent(body: Body, sketch: Sketch, dice: Random) -> None:
    if not sketch.caught:
        body["consent"]["text"] = VAGUE
    elif dice.random() < 0.5:
        body["consent"] = None
    else:
        given = sketch.at - timedelta(days=sketch.vertical.consent.max_age_days + dice.randint(1, 200))
        body["consent"]["given_at"] = as_rfc3339(given)


def _repeat(body: Body, sketch: Sketch, dice: Random) -> None:
    """Send somebody again; what is not caught comes under another number and another address."""
    if sketch.repeats and not sketch.caught:
        number = dice.randrange(10**6, 10**7)
        person = sketch.person
        body["contact"]["email"] = email_of(person.first_name, person.last_name, number, dice)
        body["contact"]["phone"] = sketch.spare.e164


_CHANGES: dict[TrueLabel, Callable[[Body, Sketch, Random], None]] = {
    "mistyped": _mistype,
    "bot": _automate,
    "hired": _hire,
    "prank": _prank,
    "competitor": _compete,
    "off_criteria": _miss_criteria,
    "weak_consent": _weaken_consent,
    "duplicate": _repeat,
}


def _drawn(weights: dict[str, int], dice: Random) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]
