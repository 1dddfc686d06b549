"""How a request leaves the house: the shape of the one client of outgoing HTTP, as far as fetching leads needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """A request to somebody outside."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, cut at the size that was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: int


class NoAnswer(Exception):
    """Nothing usable came back; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Outbound(Protocol):
    """The client."""

    def send(self, request: Request, *, timeout_seconds: float, most_bytes: int = 1 << 20) -> Answer:
        """Send and return the answer; NoAnswer when there is none in time."""
        ...
