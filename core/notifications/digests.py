"""The daily mail of what happened, for accounts that asked for one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from core.clock import as_rfc3339, from_rfc3339
from core.db import db, transaction
from core.http import business_clock
from core.jobs import enqueue, job
from core.notifications.mails import mail_account
from core.notifications.models import Digest, Notice

EVERY = timedelta(days=1)
LAG = timedelta(minutes=10)  # in which news reaches its notices; the mail leaves out what is younger
BATCH = 100
MAIL_JOB = "core.digest_mail"
_TEXT = """Hello,

this happened from {since} to {until}:

{lines}

You get this mail because your account asked for it. To stop it:
PATCH /api/v1/notifications {{"daily_mail": false}}
"""


def set_digest(account_id: UUID, wanted: bool, at: datetime) -> None:
    """Begin or stop an account's daily mail, the first a day from now; the same again changes nothing."""
    if wanted:
        row = insert(Digest).values(account_id=account_id, told_until=at, next_due_at=at + EVERY)
        db.session.execute(row.on_conflict_do_nothing())
    else:
        db.session.execute(delete(Digest).where(Digest.account_id == account_id))


def has_digest(account_id: UUID) -> bool:
    """Tell whether an account gets a daily mail."""
    return db.session.get(Digest, account_id) is not None


def queue_digests(as_of: datetime) -> int:
    """Put the mails that are due by then on the queue, in the session's transaction, and return how many.

    What an exchange slept through comes in one mail. A mail is sent by a job, which is tried again when it fails.
    """
    due = select(Digest).where(Digest.next_due_at <= as_of).order_by(Digest.next_due_at).limit(BATCH)
    digests = list(db.session.scalars(due.with_for_update(skip_locked=True)))
    until = as_of - LAG
    for digest in digests:
        enqueue(MAIL_JOB, account_id=str(digest.account_id), since=as_rfc3339(digest.told_until),
                until=as_rfc3339(until))  # fmt: skip
        digest.told_until, digest.next_due_at = until, as_of + EVERY
    db.session.flush()
    return len(digests)


def digest_text(counts: Mapping[str, int], since: str, until: str) -> str:
    """Write the mail: how often each event happened."""
    lines = "\n".join(f"{count:>8}  {event}" for event, count in sorted(counts.items()))
    return _TEXT.format(since=since, until=until, lines=lines)


@job("core.digests", every=timedelta(minutes=10))
def send_digests() -> None:
    """Queue the daily mails that are due by the business clock."""
    with transaction():
        queue_digests(business_clock().now())


@job(MAIL_JOB)
def mail_digest(account_id: str, since: str, until: str) -> None:
    """Send one daily mail; none when nothing happened."""
    account = UUID(account_id)
    happened = (Notice.account_id == account, Notice.occurred_at > from_rfc3339(since),
                Notice.occurred_at <= from_rfc3339(until))  # fmt: skip
    with transaction() as session:
        counted = session.execute(select(Notice.event, func.count()).where(*happened).group_by(Notice.event)).all()
    if counted:
        text = digest_text({row[0]: row[1] for row in counted}, since, until)
        mail_account(account, "What happened in a day", text)
