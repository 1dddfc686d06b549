"""Which part of the log a query asks for, read the same way for the page and for programs."""

from datetime import UTC, datetime
from uuid import UUID

from flask import request

from core.errors import Fault, Malformed, NotFound
from core.http import filter_of
from core.ids import parse_id, show_id
from marketplace.reports.audit_log import KINDS, PREFIXES, Asked

PEOPLE = ("user", "key")


def read_log_asked() -> Asked:
    """Read `actor`, `kind`, `day` and `object`, each empty for any; Malformed for what cannot be read."""
    kind = filter_of("kind", KINDS) if request.args.get("kind") else None
    actor, day, thing = (request.args.get(name) or None for name in ("actor", "day", "object"))
    return Asked(_actor(actor) if actor else None, kind, _day(day) if day else None, _object(thing) if thing else None)


def actor_shown(actor: str) -> str:
    """Write an actor for the outside: people and keys by their ids, all else as it is."""
    kind, _, rest = actor.partition(":")
    return show_id(kind, UUID(rest)) if kind in PEOPLE else actor


def _actor(text: str) -> str:
    kind, found = text.partition("_")[0], None
    if text == "cli":
        return text
    if kind in PEOPLE:
        found = _id(kind, text)
    if found is None:
        raise _unreadable("actor", "Send the id of a person, user_…, or of a key, key_…, or cli.")
    return f"{kind}:{found}"


def _object(text: str) -> UUID:
    prefix = text.partition("_")[0]
    found = _id(prefix, text) if prefix in PREFIXES.values() else None
    if found is None:
        raise _unreadable("object", f"Send an id that begins with one of {', '.join(PREFIXES.values())}.")
    return found


def _id(prefix: str, text: str) -> UUID | None:
    try:
        return parse_id(prefix, text)
    except NotFound:
        return None


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise _unreadable("day", "Send a date such as 2026-01-31.", "not_a_date") from None


def _unreadable(name: str, says: str, code: str = "bad_format") -> Malformed:
    return Malformed("bad_filter", "This list cannot be shown.", [Fault(name, code, says)])
