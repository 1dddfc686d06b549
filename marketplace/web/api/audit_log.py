"""The log over HTTP, for operators: who did what when, as events have it."""

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from core.http import Answer, page_request, reads
from core.identity import Actor, Who
from core.ids import show_id
from core.paging import page_of
from marketplace.reports.audit_log import KINDS, PREFIXES, Deed, deeds
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import Query, describe
from marketplace.web.api.shown import instant
from marketplace.web.log_asked import actor_shown, read_log_asked


class DeedShown(Struct, frozen=True, kw_only=True):
    """What somebody did: `actor` is a person (user_…), a key (key_…), cli or a part of the system.

    `actor_name` is the person's address or the key's name, `account` whose key it is. `kind` and `object` are null for
    what has no id outside; a vertical's object is its slug, a setting's its key. `move` has the states before and
    after, or `changed`; `why` is what was said.
    """

    id: str
    at: datetime
    actor: str
    actor_name: str | None
    account: str | None
    kind: Annotated[str, one_of(KINDS)] | None
    object: str | None
    move: str
    why: str | None


QUERY = (
    Query("actor", "Only what this person (user_…), key (key_…) or the command line (cli) did."),
    Query("kind", "Only what was done to things of this kind.", KINDS),
    Query("day", "Only what happened on this day in UTC, such as 2026-11-27."),
    Query("object", "All events of this one thing, the system's and its birth too."),
)


@api.get("/audit-log")
@reads("operate")
@describe(DeedShown, pages=True, query=QUERY)
def list_audit_log(_: Actor) -> Answer:
    """Show who did what, the latest first.

    What the system did by itself, and that a lead was received and its sales began, stands in the log of one object.
    """
    asked, part = read_log_asked(), page_request("evt")
    return Answer(page_of("evt", part, lambda *place: deeds(asked, *place), _shown))


def _shown(deed: Deed) -> DeedShown:
    who = deed.who or Who("")
    return DeedShown(
        id=show_id("evt", deed.id), at=instant(deed.at), actor=actor_shown(deed.actor),
        actor_name=who.name or None, account=show_id("acc", who.account_id) if who.account_id else None,
        kind=deed.kind, object=deed.name or _id_of(deed), move=deed.move, why=deed.why,
    )  # fmt: skip


def _id_of(deed: Deed) -> str | None:
    return show_id(PREFIXES[deed.kind], deed.object_id) if deed.kind and deed.object_id else None
