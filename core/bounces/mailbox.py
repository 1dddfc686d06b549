"""The mailbox to which undeliverable mail returns: read by IMAP over TLS, or a folder where there is no mail server."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from core.bounces.reports import MOST_BYTES
from core.http import settings

MOST_AT_ONCE = 200
TIMEOUT_SECONDS = 20
PORT = 993
READ = "read"
_UID = re.compile(rb"[0-9]{1,10}")


class Unreadable(Exception):
    """The mailbox cannot be read for the moment; the text says why."""


class Mailbox(Protocol):
    """Where mail waits that has not been looked at."""

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """Yield a name and the beginning of each mail that waits, some at most; Unreadable when it cannot be asked."""
        ...

    def put_away(self, name: str) -> None:
        """Let a mail wait no longer; it is kept for people to read."""
        ...

    def close(self) -> None:
        """End what is open."""
        ...


class Folder:
    """Mail in files, for demonstrations and tests; what was looked at moves into a folder below."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files, the oldest name first."""
        for path in sorted(self._folder.glob("*.eml"))[:MOST_AT_ONCE]:
            with path.open("rb") as file:
                yield path.name, file.read(MOST_BYTES)

    def put_away(self, name: str) -> None:
        """Move a file away; one that another process has moved already stays there."""
        (self._folder / READ).mkdir(exist_ok=True)
        (self._folder / name).rename(self._folder / READ / name)

    def close(self) -> None:
        """Do nothing: no file is held open."""


class ImapMailbox:
    """A mailbox on a server: mail is looked at without marking it, then marked as seen, never deleted."""

    def __init__(self, url: str, trust: ssl.SSLContext | None = None) -> None:
        self._parts = urlsplit(url)
        self._trust = trust or ssl.create_default_context()
        self._server: imaplib.IMAP4_SSL | None = None

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """Yield the mails that nobody has seen."""
        try:
            server = self._connected()
            _, found = server.uid("SEARCH", "UNSEEN")
            for uid in _UID.findall(found[0] or b"")[:MOST_AT_ONCE]:
                _, parts = server.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
                yield uid.decode(), b"".join(part[1] for part in parts if isinstance(part, tuple))
        except (OSError, imaplib.IMAP4.error) as wrong:
            raise Unreadable(f"the mailbox of bounces cannot be read: {wrong}") from wrong

    def put_away(self, name: str) -> None:
        """Mark a mail as seen."""
        try:
            self._connected().uid("STORE", name, "+FLAGS", "(\\Seen)")
        except (OSError, imaplib.IMAP4.error) as wrong:
            raise Unreadable(f"the mailbox of bounces cannot be read: {wrong}") from wrong

    def close(self) -> None:
        """Sign out."""
        if self._server is not None:
            server, self._server = self._server, None
            server.shutdown()

    def _connected(self) -> imaplib.IMAP4_SSL:
        if self._server is None:
            parts = self._parts
            server = imaplib.IMAP4_SSL(
                parts.hostname or "", parts.port or PORT, ssl_context=self._trust, timeout=TIMEOUT_SECONDS
            )
            self._server = server
            server.login(unquote(parts.username or ""), unquote(parts.password or ""))
            folder = unquote(parts.path).strip("/") or "INBOX"
            kind, said = server.select('"' + folder.replace("\\", "").replace('"', "") + '"')
            if kind != "OK":
                raise imaplib.IMAP4.error(f"there is no folder {folder}: {said!r}"[:200])
        return self._server


def bounce_mailbox() -> Mailbox | None:
    """Return the mailbox as the settings name it; None when mail goes out by a server and nothing names a mailbox.

    Each has a connection of its own, as two readers may meet.
    """
    told = settings()
    if told.bounces_url is not None:
        return ImapMailbox(told.bounces_url)
    return Folder(told.data_folder / "mail" / "bounces") if told.smtp_url is None else None
