"""The operator's log: who did what when, narrowed by who, by kind and by day, and the whole log of one thing."""

from typing import Any

from flask import render_template, url_for

from core.actors import Person, page
from core.http import page_request
from core.ids import show_id
from core.paging import page_of
from core.words import lazy_gettext as _l
from marketplace.reports.audit_log import PREFIXES, Deed, accounts_among, deeds
from marketplace.reports.versions_log import CHANGED
from marketplace.web.log_asked import actor_shown, read_log_asked
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import DISPUTE_STATES, actor_said
from marketplace.web.words import STATES

KINDS = {"lead": _l("Lead"), "sale": _l("Sale"), "dispute": _l("Dispute"), "order": _l("Order"),
         "account": _l("Account"), "vertical": _l("Vertical"), "setting": _l("Setting")}  # fmt: skip

BORN = {"new": _l("New"), "received": _l("Received"), CHANGED: _l("Changed")}


@operator.get("/log")
@page("operator")
def audit_log(_: Person) -> str:
    """Show the log."""
    asked = read_log_asked()
    part = page_of("evt", page_request("evt"), lambda *place: deeds(asked, *place), lambda deed: deed)
    return render_template(
        "marketplace/operator/audit_log.html", asked=asked, rows=part["items"], next_cursor=part["next_cursor"],
        owners=accounts_among(part["items"]), kinds=KINDS, actor_said=actor_said, actor_shown=actor_shown,
        object_id=object_id, story_of=story_of, states_of=states_of,
    )  # fmt: skip


def object_id(deed: Deed) -> str | None:
    """Return the id of what something was done to, None for what has none outside."""
    return show_id(PREFIXES[deed.kind], deed.object_id) if deed.kind and deed.object_id else None


def story_of(deed: Deed, kind: str) -> str:
    """Return where what something was done to is read, empty where operators have no page of it."""
    shown = object_id(deed) or ""
    if deed.name:
        is_vertical = deed.kind == "vertical"
        values: dict[str, Any] = {"slug" if is_vertical else "key": deed.name}
        return url_for("operator.vertical" if is_vertical else "operator.setting", **values)
    if deed.kind == "dispute":
        return url_for("operator.dispute", dispute=shown)
    return _account_page(kind, shown) if kind in ("publisher", "buyer") else ""


def states_of(deed: Deed) -> list[object]:
    """Return the states before and after in words."""
    codes = deed.move.split(">")
    words = (DISPUTE_STATES.get(code) or STATES.get(code) for code in codes)
    return [word.says if word else BORN.get(code, code) for word, code in zip(words, codes, strict=True)]


def _account_page(kind: str, shown: str) -> str:
    values: dict[str, Any] = {kind: shown}
    return url_for(f"operator.{kind}", **values)
