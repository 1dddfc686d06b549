"""How far the card processor's lists were read: a little back each time, far back once an hour."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.dialects.postgresql import insert

from billing.funding.models import CardLook
from core.db import db

What = Literal["news", "movements", "open"]
OVERLAP = timedelta(minutes=10)  # for clocks that differ, and what is listed a little late
DEEP = {"news": timedelta(hours=3), "movements": timedelta(days=1)}  # a movement has some six events
DEEP_EVERY = timedelta(hours=1)


def look_from(what: What, first: datetime, now: datetime) -> datetime:
    """Return the instant from which a list is to be read now; `first` when it never was."""
    row = db.session.get(CardLook, what, populate_existing=True)
    if row is None:
        return first
    return row.seen_to - (DEEP[what] if is_deep(what, now) else OVERLAP)


def is_deep(what: What, now: datetime) -> bool:
    """Tell whether the last look far back is an hour ago."""
    row = db.session.get(CardLook, what, populate_existing=True)
    return row is None or now - row.deep_at >= DEEP_EVERY


def note_look(what: What, began: datetime) -> None:
    """Note, with what was found, that a list was read up to the instant at which the reading began."""
    deep = {"deep_at": began} if is_deep(what, began) else {}
    kept = insert(CardLook).values(what=what, seen_to=began, deep_at=began)
    db.session.execute(kept.on_conflict_do_update(index_elements=["what"], set_={"seen_to": began} | deep))
