"""A period of the record run again under a change: what there is to change is looked up, and nothing is written."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from core.db import db
from core.errors import Fault, Invalid
from core.identity import Account
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.verticals import Vertical
from marketplace.leads.sources.models import SourceRule
from marketplace.orders.terms import decode_terms
from marketplace.what_if.change import Change
from marketplace.what_if.course import Run
from marketplace.what_if.history import History
from marketplace.what_if.judging import Known, OrderThen, find_id, supposed
from marketplace.what_if.recorded import record_of
from marketplace.what_if.report import report_of
from marketplace.what_if.supposing import Rule, Supposed

_VERSIONS = text(
    "SELECT v.order_id, o.buyer_id, o.vertical_id, v.terms FROM marketplace.order_versions v"
    " JOIN marketplace.orders o ON o.id = v.order_id WHERE v.order_id = ANY (:orders) AND v.at < :until"
    " AND NOT EXISTS (SELECT FROM marketplace.order_versions n WHERE n.order_id = v.order_id"
    " AND n.version = v.version + 1 AND n.at < :since) ORDER BY v.order_id, v.version"
)
_SOURCES = text(
    "SELECT publisher_id, source_name FROM unnest(CAST(:publishers AS uuid[]), CAST(:names AS text[]))"
    " AS asked (publisher_id, source_name) WHERE EXISTS (SELECT FROM marketplace.leads l"
    " WHERE l.publisher_id = asked.publisher_id AND l.source_name = asked.source_name"
    " AND l.received_at >= :since AND l.received_at < :until)"
)


def check_period(since: datetime, until: datetime) -> None:
    """Refuse a period that ends before it begins; Invalid `invalid_period`."""
    if until <= since:
        says = "Let the period end after it begins."
        raise Invalid("invalid_period", says, [Fault("to", "ends_before_it_begins", says)])


def judged(change: Change, since: datetime, until: datetime) -> Supposed:
    """Return a change judged by what there was in a period; Invalid with every fault of both."""
    check_period(since, until)
    return supposed(change, _known(change, since, until))


def run_again(
    since: datetime, until: datetime, sound: Supposed, *, by_model: bool = False,
    watch: Callable[[], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Run a period again and return the report; `watch` is called after each lead.

    The caller's transaction is read-only (`recorded.read_only`). With `by_model` the model decides every lead.
    """
    run = Run(record_of(since, until), sound, by_model)
    for _ in run.go():
        if watch is not None:
            watch()
    names = {row.id: row.slug for row in db.session.scalars(select(VerticalRow))}
    return report_of(run, since, until, names)


def run_history(
    history: History, change: Change, *, by_model: bool = False, watch: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Run another system's history again and return the report; Invalid with every fault of the change."""
    run = Run(history.record(), supposed(change, history.known()), by_model)
    for _ in run.go():
        if watch is not None:
            watch()
    return report_of(run, history.leads[0].at, history.leads[-1].at, history.names())


def _known(change: Change, since: datetime, until: datetime) -> Known:
    asked = {"since": since, "until": until}
    rows = db.session.scalars(select(VerticalRow))
    return Known(
        since, _orders([*change.orders, *(one.order for one in change.places)], asked),
        {row.slug: (row.id, Vertical.stored(row.definition)) for row in rows},
        _accounts("buyer", [*(one.buyer for one in change.new_orders), *(one.buyer for one in change.funds)]),
        _accounts("publisher", [*change.publishers, *(one.publisher for one in change.sources)]),
        _sources([(one.publisher, one.source) for one in change.sources], asked), _rules(), find_id,
    )  # fmt: skip


def _orders(shown: Sequence[str], asked: dict[str, Any]) -> dict[UUID, OrderThen]:
    found: dict[UUID, OrderThen] = {}
    for row in db.session.execute(_VERSIONS, asked | {"orders": _ids("ord", shown)}):
        before = found.get(row.order_id)
        versions = (*(before.versions if before else ()), decode_terms(row.terms))
        found[row.order_id] = OrderThen(row.buyer_id, row.vertical_id, versions)
    return found


def _accounts(kind: str, shown: Sequence[str]) -> frozenset[UUID]:
    query = select(Account.id).where(Account.kind == kind, Account.id.in_(_ids("acc", shown)))
    return frozenset(db.session.scalars(query))


def _sources(named: Sequence[tuple[str, str]], asked: dict[str, Any]) -> frozenset[tuple[UUID, str]]:
    sound = [(ids[0], name) for shown, name in named if (ids := _ids("acc", [shown]))]
    more = {"publishers": [one for one, _ in sound], "names": [name for _, name in sound]}
    return frozenset((row.publisher_id, row.source_name) for row in db.session.execute(_SOURCES, asked | more))


def _rules() -> dict[tuple[UUID, str, int], Rule]:
    query = select(SourceRule.publisher_id, SourceRule.source_name, SourceRule.vertical_id, SourceRule.exclusive_only,
                   SourceRule.most_buyers, SourceRule.min_price_minor)  # fmt: skip
    return {(row[0], row[1], row[2]): Rule(*row[3:]) for row in db.session.execute(query)}


def _ids(kind: str, shown: Sequence[str]) -> list[UUID]:
    """Return those that can be ids; what cannot is the change's own fault, which `judging` names."""
    return [found for one in shown if (found := find_id(kind, one)) is not None]
