"""Holds: money set aside in a wallet, and how each hold ends, once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.db import db
from core.errors import Conflict, Invalid
from core.money import Money

HoldState = Literal["resolved", "repeated", "conflict", "missing"]


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """How one hold is to end, in minor units of its currency: the rest above `capture_minor` goes back to the wallet.

    Of what is captured `share_minor` is the earner's, of which `reserve_minor` waits until `reserve_until`; what is
    left is the platform's. A request without capture whose reason is "expired" is remembered as expired.
    """

    hold_id: UUID
    capture_minor: int
    earner_id: UUID | None = None
    share_minor: int = 0
    reserve_minor: int = 0
    reserve_until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """What became of one request: done now, done before, contradicted by what was done before, or no such hold."""

    hold_id: UUID
    state: HoldState


_PLACE = text("SELECT billing.place_hold(:hold_id, :account_id, :currency, :amount, :kind, :key, :actor, :at)")
_RESOLVE = text("""
    SELECT o.hold_id, o.state
    FROM billing.resolve_holds(
        ARRAY(SELECT jsonb_populate_recordset(NULL::billing.hold_request, CAST(:requests AS jsonb))), :actor, :at) o
""")


def place_hold(
    hold_id: UUID, account_id: UUID, money: Money, kind: str, key: str, actor: str, at: datetime
) -> bool:  # fmt: skip
    """Set money aside under a key of the caller's, promotional credit first; `kind` names the income it may become.

    False, with nothing done and the key still free, when the wallet lacks the money or is suspended. The same key
    with the same hold is True and moves nothing; with another hold it is a Conflict.
    """
    values: dict[str, Any] = {"hold_id": hold_id, "account_id": account_id, "kind": kind, "key": key}
    values |= {"currency": money.currency, "amount": money.minor, "actor": actor, "at": at}
    try:
        placed: bool = db.session.execute(_PLACE, values).scalar_one()
    except IntegrityError as refusal:
        raise Conflict("key_reused", f"The key {key} or the hold {hold_id} stands for something else.") from refusal
    return placed


def resolve_holds(requests: Sequence[HoldRequest], actor: str, at: datetime) -> list[HoldOutcome]:
    """End many holds in a few statements and answer in the order asked; thousands at a time are fine.

    Each hold ends once (key `hold:{id}:resolve`): the first to ask wins, an equal request is `repeated`, another is
    `conflict`, as is one that captures more than was held; reason and actor are not compared. Invalid, with nothing
    booked, when a request makes no sense: a share above its capture, a share for nobody, the same hold twice.
    """
    if not requests:
        return []
    encoded = msgspec.json.encode([asdict(request) for request in requests]).decode()
    try:
        rows = db.session.execute(_RESOLVE, {"requests": encoded, "actor": actor, "at": at}).all()
    except IntegrityError as refusal:
        raise Invalid("bad_hold_request", f"The batch cannot be booked: {refusal.orig}") from refusal
    return [HoldOutcome(hold_id, state) for hold_id, state in rows]
