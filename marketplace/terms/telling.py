"""Telling a publisher that his terms changed: by notice and webhook at once, and by mail with what changed and why."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from affiliates import SCHEDULES, SWITCHES, TermsVersion, terms_at
from core.db import transaction
from core.http import settings
from core.jobs import enqueue
from core.notifications import mail_account
from core.outbox import announce

MAIL = "market.terms_changed"
_TEXT = """Hello,

your terms changed. They hold for what is sold from now on; what was sold before keeps the terms that it was sold on.

{changes}

Why: {reason}

All of your terms, and what the next tier asks for: {site}/publisher/terms
"""
_WORDS = {
    "share_bp": "Your share of the price", "extra_hold_days": "Days held beyond the vertical's",
    "reserve_bp": "Kept in reserve", "reserve_days": "Days that the reserve is kept", "payouts_a_month": "Payouts",
    "on_request": "Paid on request on any day", "threshold_minor": "Least payout by SEPA or Stripe",
    "threshold_other_minor": "Least payout by other ways", "first_payout_reviewed": "First payout reviewed",
    "first_payout_most_minor": "First payout at most", "min_margin_minor": "What the exchange keeps of a sale at least",
}  # fmt: skip


def tell(now: TermsVersion, at: datetime) -> None:
    """Tell of new terms, within the transaction that says them."""
    before = terms_at(now.account_id, now.version - 1)
    data = {"account": str(now.account_id), "version": now.version, "tier": now.tier, "tier_before": before.tier,
            "why": now.reason}  # fmt: skip
    accounts = [str(now.account_id)]
    announce("notice", {"event": "terms.changed", "at": at.isoformat(), "accounts": accounts, "data": data})
    enqueue(MAIL, account=str(now.account_id), version=now.version)


def mail_terms(account_id: UUID, version: int) -> None:
    """Write to a publisher's people what a version of their terms changed, and why; opens its transaction."""
    with transaction():
        now, before = terms_at(account_id, version), terms_at(account_id, version - 1)
        changes = "\n".join(_changes(before, now))
        text = _TEXT.format(changes=changes, reason=now.reason, site=settings().address)
        is_raised = now.tier != before.tier
        subject = f"You are on the tier {now.tier} from now on" if is_raised else "Your terms changed"
    mail_account(account_id, subject, text)


def _changes(before: TermsVersion, now: TermsVersion) -> Iterator[str]:
    if before.tier != now.tier:
        yield f"  Tier: {before.tier} → {now.tier}"
    old, new = asdict(before.terms), asdict(now.terms)
    for field, value in new.items():
        if value != old[field]:
            yield f"  {_WORDS[field]}: {_written(field, old[field])} → {_written(field, value)}"


def _written(field: str, value: int) -> str:
    if field in SWITCHES:
        return "yes" if value else "no"
    if field.endswith("_bp"):
        return f"{value / 100:g} %"
    if field.endswith("_minor"):
        return f"{value // 100}.{value % 100:02}"
    return SCHEDULES[value].replace("_", " ") if field == "payouts_a_month" else str(value)
