"""What every dialect reads and writes: the request as it came, the post that it says, what became of it, the reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from core.errors import Fault
from core.ids import show_id
from core.money import Money

# sold, unsold, rejected (judged and stored, `reasons` say why), duplicate, test; or nothing was stored: refused (the
# lead has `faults`), unreadable, stranger (unknown credentials), closed (the source is), method (not this one), failed.
Kind = Literal[
    "sold", "unsold", "rejected", "duplicate", "test", "refused", "unreadable", "stranger", "closed", "method", "failed"
]
XML, JSON, TEXT = "text/xml", "application/json", "text/plain"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names are in small letters, `form` holds the parts of a multipart body."""

    method: str
    media_type: str = ""
    charset: str = "utf-8"
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    form: tuple[tuple[str, str], ...] = ()
    ending: str = ""  # what stands behind the source's id in the address


@dataclass(frozen=True, slots=True)
class Posted:
    """A post as its dialect says it: the vendor's fields, the credentials that came with it, a test or not.

    `form` names the form of the answer that it asks for, among those of its dialect; `once` is the vendor's own id of
    the post, where it may repeat one.
    """

    columns: Mapping[str, str]
    numbers: tuple[str, ...] = ()
    key: str = ""
    test: bool = False
    form: str = ""
    once: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a post: `payout` is what its publisher is paid, `status` an HTTP status that speaks for itself."""

    kind: Kind
    at: datetime
    lead: Any = None  # its UUID
    payout: Money | None = None
    reasons: tuple[tuple[str, str], ...] = ()  # of a rejected lead, each code with its sentence
    faults: tuple[Fault, ...] = ()
    detail: str = ""
    status: int = 200
    redirect_url: str = ""  # where the buyer wants the person to go on

    @property
    def lead_id(self) -> str:
        """Return the lead's id as everybody else sees it; empty when none was stored."""
        return show_id("lead", self.lead) if self.lead else ""

    @property
    def number(self) -> int:
        """Return a number for dialects whose ids are numbers: the random end of the lead's id; 0 for none.

        It need not be unique; 31 bits fit into the integers of any client.
        """
        return self.lead.int & ((1 << 31) - 1) if self.lead else 0

    @property
    def price(self) -> str:
        """Return what the publisher is paid as decimal text, 0.00 for nothing."""
        return str(self.payout) if self.payout else "0.00"

    @property
    def accepted(self) -> bool:
        """Tell whether the dialect should say yes: a test that went through is a yes."""
        return self.kind in ("sold", "test")

    def sentences(self) -> list[str]:
        """Say everything that stands against the lead, for people."""
        if self.faults:
            return [f"{fault.field}: {fault.message}" for fault in self.faults]
        return [sentence for _, sentence in self.reasons] or ([self.detail] if self.detail else [])


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the poster."""

    body: bytes
    media_type: str = JSON
    status: int = 200


def json_reply(data: Any, status: int = 200) -> Reply:
    """Reply with a JSON document."""
    return Reply(msgspec.json.encode(data), JSON, status)
