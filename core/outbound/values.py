"""What is sent out, what comes back, and how it is said that nothing came back."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One call: an absolute URL, headers without those that say how it is carried, and the body as it is."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, a redirect or an error as well; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: int


class NoAnswer(Exception):
    """The call brought no answer.

    The code is `timeout`, `connection`, `tls`, `too_large`, `bad_http` (one side did not speak HTTP) or
    `target_refused` (nothing was sent there); the text says it for people.
    """

    def __init__(self, code: str, says: str, milliseconds: int = 0) -> None:
        self.code = code
        self.milliseconds = milliseconds
        super().__init__(says)


def refused(says: str) -> NoAnswer:
    """Say that nothing is sent to a target."""
    return NoAnswer("target_refused", says)
