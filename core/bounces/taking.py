"""Mail that came back is taken in: its token is verified, its address marked, and whoever sent it is told, once."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.bounces.mailbox import Mailbox, Unreadable
from core.bounces.marked import Bounce, mark
from core.bounces.reports import Report, read_report
from core.bounces.tokens import read_token
from core.db import transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail of ours that came back: what it was about, from which of its recipients (empty: unknown), and why."""

    subject: UUID
    address: str
    code: str
    says: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent mail of one kind: `recipients_of` names who got the mail about a subject, `on_return` acts on a bounce.

    Both are called in the transaction that keeps the bounce.
    """

    recipients_of: Callable[[UUID], tuple[str, ...]]
    on_return: Callable[[Returned, datetime], None]


def take_bounces(mailbox: Mailbox | None, senders: Mapping[str, Sender], at: datetime) -> int:
    """Take in the mail that waits in the mailbox, and return how much of it told of something new.

    What is no report of a failure, or bears no token of ours, changes nothing; it is put away like the rest.
    """
    if mailbox is None:
        return 0
    taken = 0
    with closing(mailbox):
        try:
            for name, raw in mailbox.unread():
                report = read_report(raw)
                if report is None:
                    log.info("%s in the mailbox of bounces reports no failure", name)
                else:
                    taken += _take(name, report, senders, at)
                mailbox.put_away(name)
        except (Unreadable, FileNotFoundError) as wrong:  # a file that another process has put away meanwhile
            log.warning("%s", wrong)
    return taken


def _take(name: str, report: Report, senders: Mapping[str, Sender], at: datetime) -> int:
    found = next((known for token in report.tokens if (known := read_token(token)) is not None), None)
    if found is None or found[0] not in senders:
        log.warning("%s in the mailbox of bounces bears no token of ours", name)
        return 0
    kind, subject = found
    with transaction():
        address = _meant(report.recipient, senders[kind].recipients_of(subject))
        returned = Returned(subject, address, report.code, report.says, report.is_permanent and address != "")
        bounce = Bounce(kind=kind, subject_id=subject, address=address, permanent=returned.permanent,
                        code=report.code, says=report.says, at=at)  # fmt: skip
        if not mark(bounce):
            return 0
        senders[kind].on_return(returned, at)
    return 1


def _meant(named: str, recipients: tuple[str, ...]) -> str:
    """Return the recipient whom a report is about: the one whom it names, or the only one there is.

    A mail that was forwarded comes back from an address that we do not know: of several recipients it is then nobody's
    for certain, an empty text, and silences none of them.
    """
    known = {address.lower() for address in recipients}
    if named in known:
        return named
    return known.pop() if len(known) == 1 else ""
