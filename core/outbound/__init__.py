"""The one way out: checked and pinned addresses, limits, deadlines; HTTP without redirects, proxies, cookies."""

from core.http import kept_by_app, settings
from core.outbound.calls import Outbound
from core.outbound.sftp import Drop, NotTaken, SftpDoor, read_private_key, sftp_door
from core.outbound.values import Answer, NoAnswer, Request

__all__ = [
    "Answer",
    "Drop",
    "NoAnswer",
    "NotTaken",
    "Outbound",
    "Request",
    "SftpDoor",
    "outbound",
    "read_private_key",
    "sftp_door",
]


def outbound() -> Outbound:
    """Return this application's way out, which several threads may use at once."""
    return kept_by_app("leadbourse_outbound", lambda: Outbound(settings().allow_private_targets))
