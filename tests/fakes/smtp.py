"""A mail server for tests, which answers each name as a test has told it."""

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from typing import Any

from aiosmtpd.controller import Controller


class MailServer:
    """What came in, and what is answered to whom: a recipient that begins with a name of `answers` gets its answer."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answers: dict[str, str] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """Return its address as the settings have it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[Any]:
        """Return the mails that it took."""
        return [email.message_from_bytes(one.content, policy=policy.default) for one in self.taken]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's name
        answer = next((said for name, said in self.answers.items() if address.startswith(name)), "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve on a free port until the end of the block."""
    told = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        told.port = free.getsockname()[1]
    controller = Controller(told, hostname="127.0.0.1", port=told.port)
    controller.start()
    try:
        yield told
    finally:
        controller.stop()
