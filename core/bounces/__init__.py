"""Mail that comes back: known by a signed token, read from a mailbox, and the addresses that are mailed no more."""

from core.bounces.mailbox import Mailbox, bounce_mailbox
from core.bounces.marked import Bounce, bounced_among, bounces_of, forgive
from core.bounces.reports import Report, read_report
from core.bounces.taking import Returned, Sender, take_bounces
from core.bounces.tokens import read_token, token_for

__all__ = [
    "Bounce",
    "Mailbox",
    "Report",
    "Returned",
    "Sender",
    "bounce_mailbox",
    "bounced_among",
    "bounces_of",
    "forgive",
    "read_report",
    "read_token",
    "take_bounces",
    "token_for",
]
