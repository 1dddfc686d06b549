"""A bought lead's time line: the moves of its sale and the buyer's reports, in order, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actors import Person
from core.words import gettext
from marketplace.leads.contact_models import Disposition
from marketplace.leads.models import Event
from marketplace.web.words import LOST, REPORTS, state_of


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened, when, by whom and why."""

    move: str
    at: datetime
    actor: str
    why: str


def happenings(events: Iterable[Event], reports: Iterable[Disposition], person: Person) -> Sequence[Happening]:
    """Return moves and reports, the earliest first."""
    moves = [
        Happening(str(state_of(one.move.rpartition(">")[2]).says), one.at, _who(one.actor, person), one.why or "")
        for one in events
    ]
    said = [Happening(str(REPORTS[one.status]), one.at, _who(one.actor, person), _words_of(one)) for one in reports]
    return sorted([*moves, *said], key=lambda one: one.at)


def _who(actor: str, person: Person) -> str:
    if actor == person.name:
        return str(gettext("you"))
    return str(gettext("the exchange")) if actor.startswith("system") else ""


def _words_of(report: Disposition) -> str:
    return ": ".join(str(one) for one in (LOST.get(report.lost_reason or ""), report.note) if one)
