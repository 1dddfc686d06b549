"""A dispute's time line as its two sides read it: the claim, the answer, files, decisions and the appeal, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.i18n import said
from core.words import gettext
from marketplace.leads.models import Event
from marketplace.reports.dispute_sides import DisputeStory
from marketplace.web.words import dispute_reason_of, state_of


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened, when, by whom and why."""

    move: str
    at: datetime
    actor: str
    why: str


def what_happened(story: DisputeStory) -> Sequence[Happening]:
    """Return moves, the answer and the files, the earliest first, without naming anybody but by their side."""
    return sorted([*_moves(story), *_answer(story), *_files(story)], key=lambda one: one.at)


def _moves(story: DisputeStory) -> Iterator[Happening]:
    for event in story.events:
        after = event.move.rpartition(">")[2]
        why = dispute_reason_of(event.why or "") if after == "open" else said(event.why or "")
        yield Happening(str(state_of(after).says), event.at, _who(event, after, story), str(why))


def _answer(story: DisputeStory) -> Iterator[Happening]:
    row = story.dispute
    if row.heard_at and row.accepts is not None:
        move = gettext("Accepted") if row.accepts else gettext("Contested")
        yield Happening(move, row.heard_at, _side("publisher", story), row.answer_note or "")


def _files(story: DisputeStory) -> Iterator[Happening]:
    for file in story.files:
        yield Happening(gettext("A file was shown"), file.uploaded_at, _side(file.side, story), file.name)


def _who(event: Event, after: str, story: DisputeStory) -> str:
    row = story.dispute
    if after == "open":
        return gettext("the exchange") if row.opened_by == "operator" else _side("buyer", story)
    if after == "appealed":
        return _side(story.appeal.side, story) if story.appeal else ""
    if event.actor.startswith("system:"):
        return str(gettext("by the rules"))
    is_accepted = bool(row.accepts) and event.at == row.heard_at
    return _side("publisher", story) if is_accepted else str(gettext("an operator"))


def _side(side: str, story: DisputeStory) -> str:
    if side == story.side:
        return str(gettext("you"))
    return str(gettext("the buyer") if side == "buyer" else gettext("the publisher"))
