"""One lane of the sample market, in a process of its own: it posts leads, does what buyers do, and decides disputes.

The functions below are called in that process by `Backfill`, one after the other; what they take and return is pickled.
"""

import signal
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from core.clock import from_rfc3339
from core.config import Settings
from core.db import transaction
from core.errors import DomainError
from core.garbage import keep_what_is_loaded
from core.http import settings
from core.ids import parse_id
from core.lifeline import die_with_parent
from core.schemas import convert
from marketplace.app import create_app
from marketplace.demo.behaviour import Deed
from marketplace.demo.set_clock import SetClock
from marketplace.demo.settling import ACTOR
from marketplace.jobs import WATCH, settle_due
from marketplace.leads.desk import desk
from marketplace.leads.dispositions import Report, report_at_once
from marketplace.leads.disputes import Claim, open_dispute, resolve_dispute
from marketplace.leads.disputes.evidence import add_file
from marketplace.leads.disputes.machine import judge_one
from marketplace.leads.intake import Sender
from marketplace.leads.refusals import count_refusal

T = TypeVar("T")

TOGETHER = 50  # deeds in a transaction
REPORTS_TOGETHER = 500
_clock = SetClock(datetime.now(UTC))


class Post(NamedTuple):
    """A lead's body, who posts it, and when."""

    publisher_id: UUID
    body: dict[str, Any]
    at: datetime


class Act(NamedTuple):
    """A deed and the buyer whose it is."""

    buyer_id: UUID
    deed: Deed


class Decision(NamedTuple):
    """What the operator decides of a dispute, and when."""

    dispute_id: UUID
    decision: str
    note: str
    at: datetime


def begin(given: Settings, database_url: str) -> None:
    """Make the application in whose context this process works until it ends, with the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who waits for us
    die_with_parent()
    create_app(given, database_url, _clock).app_context().push()
    keep_what_is_loaded()


def post(posts: list[Post]) -> list[UUID | None]:
    """Post leads in their order, each at its instant; return their ids, None for what was refused."""
    return [_post(each) for each in posts]


def _post(each: Post) -> UUID | None:
    _clock.at = each.at
    try:
        sender = Sender(each.publisher_id, None, by=ACTOR)
        return UUID(desk().intake.post(msgspec.json.encode(each.body), sender).result["id"])
    except DomainError as refused:
        with transaction():
            count_refusal(each.publisher_id, refused, each.at)
        return None


def act(acts: list[Act], at: datetime) -> Counter[str]:
    """Do deeds of buyers, reports before disputes, and return how many were refused, by code."""
    _clock.at, refused = at, Counter[str]()
    for reports in batched([each.deed for each in acts if each.deed.kind == "disposition"], REPORTS_TOGETHER):
        with transaction():
            report_at_once([(parse_id("sale", deed.sale), _report_of(deed.body)) for deed in reports], ACTOR, at)
    for disputes in batched([each for each in acts if each.deed.kind == "dispute"], TOGETHER):
        with transaction():
            refused.update(filter(None, [_dispute(each.buyer_id, each.deed) for each in disputes]))
    return refused


def _dispute(buyer_id: UUID, deed: Deed) -> str | None:
    said, file = {**deed.body}, deed.body.get("file")
    said.pop("file", None)
    claim = Claim(**said, brings_file=file is not None)
    try:
        opened = open_dispute(buyer_id, parse_id("sale", deed.sale), claim, ACTOR, deed.at)
    except DomainError as refused:  # above the cap on returns, mostly: refused before anything is written
        return refused.code
    if file is not None:
        data = b64decode(file["base64"])
        add_file(buyer_id, opened.id, file["name"], data, settings().data_folder, ACTOR, deed.at)
    return None


def judge(dispute_ids: list[UUID], at: datetime) -> None:
    """Let the machine look at disputes."""
    for dispute_id in dispute_ids:
        with transaction():
            judge_one(dispute_id, at, desk().vault, desk().intake.keys_of)


def decide(decisions: list[Decision]) -> None:
    """Decide disputes as the operator did."""
    for some in batched(decisions, TOGETHER):
        with transaction():
            for each in some:
                resolve_dispute(each.dispute_id, each.decision, each.note, ACTOR, each.at)


def watch(at: datetime) -> None:
    """Do what is due in the watch over first contacts."""
    _clock.at = at
    settle_due(at, WATCH)


def batched(items: list[T], most: int) -> Iterator[list[T]]:
    """Yield a list's items, so many at a time."""
    return (items[begin : begin + most] for begin in range(0, len(items), most))


def _report_of(body: dict[str, Any]) -> Report:
    return msgspec.structs.replace(convert(body | {"at": body["at"]}, Report), at=from_rfc3339(body["at"]))
