"""Telling operators what waits for a person, or for a second one: by notice and mail, at most once a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, PrimaryKeyConstraint, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from billing import asked_bank_accounts, asked_imports, counted_payouts, grants_waiting, open_moves, write_offs_waiting
from core.db import Model, db, transaction
from core.http import settings
from core.identity import accounts_of_kind
from core.jobs import enqueue
from core.notifications import mail_account
from core.outbox import announce

MAIL = "market.people_wanted"
EVENT = "people.wanted"
A_DAY = timedelta(days=1)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('marketplace.people_wanted', 0))")
# What waits, in words, and the page on which it is decided.
_WORDS = {
    "payouts": ("payouts to agree to", "/operator/payouts"),
    "bank_accounts": ("another bank account of the exchange", "/operator/bank"),
    "bank_files": ("bank files that credit without proof", "/operator/bank"),
    "suspense": ("moves out of suspense", "/operator/suspense"),
    "credits": ("promotional credits", "/operator/credits"),
    "write_offs": ("debts of publishers to write off", "/operator/payouts"),
}
_TEXT = """Hello,

these wait for a person to agree, or for a second one:

{lines}

You get this mail at most once a day, for as long as something waits.
"""


class PeopleTold(Model):
    """That operators were told, when, and of how much of each."""

    __tablename__ = "people_told"
    __table_args__ = (
        PrimaryKeyConstraint("told_at", name="people_told_pkey"),
        CheckConstraint("jsonb_typeof(waiting) = 'object'", name="people_told_check"),
        {"schema": "marketplace"},
    )

    told_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    waiting: Mapped[dict[str, Any]] = mapped_column(JSONB)


def tell_people_wanted(at: datetime) -> int:
    """Tell every operator what waits, in the session's transaction; return 1, or 0 with nothing to tell."""
    db.session.execute(_LOCK)
    last = db.session.scalar(select(func.max(PeopleTold.told_at)))
    if last is not None and at - last < A_DAY:
        return 0
    waiting = what_waits_for_people()
    if not waiting:
        return 0
    db.session.add(PeopleTold(told_at=at, waiting=waiting))
    accounts = [one.id for one in accounts_of_kind("operator")]
    told = {"event": EVENT, "at": at.isoformat(), "accounts": [str(one) for one in accounts], "data": waiting}
    announce("notice", told)
    for account_id in accounts:
        enqueue(MAIL, account=str(account_id))
    return 1


def what_waits_for_people() -> dict[str, int]:
    """Count what waits for a person, or for a second one, by what it is; what does not wait is left out."""
    waiting = {
        "payouts": sum(one.count for one in counted_payouts() if one.state == "drafted"),
        "bank_accounts": len(asked_bank_accounts()),
        "bank_files": len(asked_imports()),
        "suspense": sum(one.state == "proposed" for one in open_moves()),
        "credits": len(grants_waiting()),
        "write_offs": len(write_offs_waiting()),
    }
    return {what: count for what, count in waiting.items() if count}


def mail_people_wanted(account_id: UUID) -> None:
    """Write to an operator's people what waits now; nothing when it was decided meanwhile. Opens its transaction."""
    with transaction():
        waiting = what_waits_for_people()
    if waiting:
        count = sum(waiting.values())
        mail_account(account_id, f"{count} waiting for somebody to agree", _TEXT.format(lines=_lines(waiting)))


def _lines(waiting: Mapping[str, int]) -> str:
    site = settings().address
    return "\n".join(f"{count:>6}  {_WORDS[what][0]}: {site}{_WORDS[what][1]}" for what, count in waiting.items())
