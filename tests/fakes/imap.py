"""A mailbox behind TLS for tests, which speaks as much of IMAP as a reader of unseen mail needs."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

USER, PASSWORD = "bounces@market.example", "p@ss word"


@dataclass
class ImapServer:
    """A server that is running: the mails in its folder INBOX, those that were seen, and what was asked."""

    mails: dict[int, bytes]
    port: int = 0
    seen: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def answer(self, command: str) -> tuple[list[bytes], str]:
        """Return the untagged lines of an answer, and how it ends."""
        self.asked.append(command)
        if command.upper().startswith("CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1"], "OK done"
        if command.upper().startswith("LOGIN"):
            good = PASSWORD in command and USER in command
            return [], "OK hello" if good else "NO [AUTHENTICATIONFAILED] no"
        if command.upper().startswith("SELECT"):
            return [
                b"* %d EXISTS" % len(self.mails)
            ], "OK [READ-WRITE] done" if "INBOX" in command else "NO no such folder"
        if command.upper().startswith("UID SEARCH"):
            waiting = " ".join(str(uid) for uid in self.mails if uid not in self.seen)
            return [f"* SEARCH {waiting}".strip().encode()], "OK done"
        if fetch := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command, re.IGNORECASE):
            raw = self.mails[int(fetch[1])][: int(fetch[2])]
            return [b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n%s)" % (fetch[1].encode(), len(raw), raw)], "OK done"
        if store := re.match(r"UID STORE (\d+) \+FLAGS \(\\Seen\)", command, re.IGNORECASE):
            self.seen.add(int(store[1]))
            return [], "OK done"
        return [], "OK done"


@contextmanager
def imap_server(tls: ssl.SSLContext, mails: dict[int, bytes]) -> Iterator[ImapServer]:
    """Serve these mails on a free port until the end of the block."""
    server, ended = ImapServer(mails), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    server.port = listener.getsockname()[1]

    def serve(plain: socket.socket) -> None:
        with (
            suppress(OSError),
            plain,
            tls.wrap_socket(plain, server_side=True) as caller,
            caller.makefile("rwb") as talk,
        ):
            talk.write(b"* OK ready\r\n")
            talk.flush()
            for line in talk:
                tag, _, command = line.decode().strip().partition(" ")
                lines, end = server.answer(command)
                talk.write(b"".join(each + b"\r\n" for each in lines) + f"{tag} {end}\r\n".encode())
                talk.flush()

    def accept() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        ended.set()
        acceptor.join()
        listener.close()
