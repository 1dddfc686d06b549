"""Saying a publisher's terms anew, by an operator, the tier's settings or a review: each is a version that stays."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, text

from affiliates.models import Publisher
from affiliates.terms.fields import TIER_NAMES, Own, faults_in_own, tier_terms
from affiliates.terms.models import TermsVersion
from affiliates.terms.reading import present_terms, terms_at
from core.db import db
from core.defaults import Said
from core.errors import Conflict, Fault, Invalid

REASON_LENGTH = 400
BATCH = 200
OPENING, TERMS = "system:opening", "system:terms"
_CHANGE = text("""
    SELECT affiliates.change_terms(:account_id, :seen, :tier, :is_pinned, CAST(:granted AS jsonb), CAST(:own AS jsonb),
                                   :reason, :actor, :at)
""")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a publisher's terms to be; `seen` is the version that they looked at.

    A pinned tier is left alone by the reviews. What `own` leaves out is the tier's.
    """

    tier: str
    is_pinned: bool
    own: Own
    reason: str
    seen: int


def open_terms(account_id: UUID, said: Said, at: datetime) -> None:
    """Add a publisher on a newcomer's terms, as their first version."""
    _change(account_id, Wish("new", False, {}, "A newcomer's terms.", 0), said, OPENING, at)


def change_terms(account_id: UUID, wish: Wish, said: Said, actor: str, at: datetime) -> TermsVersion | None:
    """Say a publisher's terms anew, for what is sold from the commit on, and return them; None when nothing changes.

    Invalid `invalid_terms` with all bad fields; Conflict `version_changed` when somebody else said something since.
    """
    present = present_terms(account_id)
    if faults := list(_faults(wish)):
        raise Invalid("invalid_terms", "The terms stay as they are.", faults)
    is_same = (wish.tier, wish.is_pinned, dict(wish.own)) == (present.tier, present.is_pinned, present.own)
    if is_same and wish.seen == present.version:
        return None
    _change(account_id, wish, said, actor, at)
    return terms_at(account_id, wish.seen + 1)


def renew_terms(said: Said, at: datetime) -> list[TermsVersion]:
    """Say the terms of some publishers anew whose tier grants something else by now, and return them.

    What an operator says on a tier reaches its publishers so; what is said for an account alone stays. Publishers in
    work elsewhere are passed over.
    """
    differs = [
        (TermsVersion.tier == tier) & (TermsVersion.tier_terms != asdict(tier_terms(tier, said))) for tier in TIER_NAMES
    ]
    query = select(TermsVersion).join(
        Publisher, (Publisher.account_id == TermsVersion.account_id) & (Publisher.terms_version == TermsVersion.version)
    )
    query = query.where(or_(*differs)).order_by(TermsVersion.account_id).limit(BATCH)
    renewed = []
    for row in db.session.scalars(query.with_for_update(of=Publisher, skip_locked=True)).all():
        reason = f"The tier {row.tier} grants something else: {_differences(row, said)}."[:REASON_LENGTH]
        _change(row.account_id, Wish(row.tier, row.is_pinned, row.own, reason, row.version), said, TERMS, at)
        renewed.append(terms_at(row.account_id, row.version + 1))
    return renewed


def _differences(row: TermsVersion, said: Said) -> str:
    before, after = asdict(row.granted), asdict(tier_terms(row.tier, said))
    return ", ".join(f"{name} {int(before[name])} → {int(value)}" for name, value in after.items()
                     if before[name] != value)  # fmt: skip


def _change(account_id: UUID, wish: Wish, said: Said, actor: str, at: datetime) -> None:
    values = {
        "account_id": account_id, "seen": wish.seen, "tier": wish.tier, "is_pinned": wish.is_pinned,
        "granted": json.dumps(asdict(tier_terms(wish.tier, said))), "own": json.dumps(dict(wish.own)),
        "reason": wish.reason, "actor": actor, "at": at,
    }  # fmt: skip
    if not db.session.execute(_CHANGE, values).scalar_one():
        raise Conflict("version_changed", "Somebody changed these terms meanwhile. Look at them as they are now.")
    db.session.expire_all()


def _faults(wish: Wish) -> Iterable[Fault]:
    if wish.tier not in TIER_NAMES:
        yield Fault("tier", "not_allowed_value", f"Choose from {', '.join(TIER_NAMES)}.")
    yield from faults_in_own(wish.own)
    if not 1 <= wish.seen < 2**31 - 1:
        yield Fault("version", "not_allowed_value", "Give the version of the terms as they were read.")
    if not 1 <= len(wish.reason.strip()) <= REASON_LENGTH or "\0" in wish.reason:
        yield Fault("reason", "reason_needed", f"Say why, in at most {REASON_LENGTH} characters.")
