"""The words that operators' pages have for codes: a dispute's state, who did something, why a sale is passed over."""

from typing import Any

from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.models import Event
from marketplace.web.words import STATES, Word

DISPUTE_STATES = {
    "waiting": Word("held", _l("Waiting")),
    "open": Word("held", _l("Open")),
    "appealed": Word("held", _l("Appealed")),
    "upheld": Word("won", _l("Upheld")),
    "rejected": Word("refused", _l("Rejected")),
    "partial": Word("neutral", _l("In part")),
    "repriced": Word("neutral", _l("Re-priced")),
}
SIDES = {"buyer": _l("Buyer"), "publisher": _l("Publisher"), "platform": _l("Platform")}
OBSTACLES = {
    "already_decided": _l("Its dispute was decided before"),
    "not_disputed": _l("Nobody disputed it, so there is nothing to reject"),
    "not_held_any_more": _l("Its money is settled and this reason does not reach it"),
    "not_delivered": _l("It is not delivered yet"),
    "too_late": _l("The time for an operator's claim is over"),
}
LEVEL_WORDS = {"exchange": _l("Exchange"), "vertical": _l("Vertical"), "country": _l("Country"), "order": _l("Order")}
PROGRAM = {
    "system:machine": _l("The machine"),
    "system:silence": _l("Silence"),
    "system:rule": _l("The rule"),
    "system": _l("The program"),
    "cli": _l("The command line"),
}


def dispute_state(code: str) -> Word:
    """Return how a dispute's state is shown."""
    return DISPUTE_STATES.get(code) or Word("neutral", code)


def actor_said(actor: str) -> Any:
    """Say who did something, as events name them: a person, a program's key, or this program itself."""
    kind, _, rest = actor.partition(":")
    if kind == "user":
        return gettext("a person, …%(tail)s", tail=rest[-8:])
    if kind == "key":
        return gettext("an API key, …%(tail)s", tail=rest[-8:])
    return PROGRAM.get(actor) or gettext("the program: %(part)s", part=rest or actor)


def move_said(event: Event) -> Any:
    """Say which state something came to."""
    after = event.move.rpartition(">")[2]
    word = DISPUTE_STATES.get(after) or STATES.get(after)
    return word.says if word else after.replace("_", " ")
