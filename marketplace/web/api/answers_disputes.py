"""The shapes of answers about disputes: one file that both sides and operators read."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Struct

from core.schemas import Amount
from marketplace.leads.stages import MOVES
from marketplace.web.api.answers import one_of

Side = Annotated[str, one_of(("buyer", "publisher"))]
DisputeState = Annotated[str, one_of(MOVES["dispute"])]


class FileShown(Struct, frozen=True, kw_only=True):
    """A file that one side showed; `link` is where it can be saved from."""

    id: str
    side: Side
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    uploaded_at: datetime
    link: str


class HearingShown(Struct, frozen=True, kw_only=True):
    """The publisher's hearing: `accepts` is null until he answers; silence decides when it is over."""

    until: datetime
    accepts: bool | None
    note: str | None


class AppealShown(Struct, frozen=True, kw_only=True):
    """The appeal: by which side, against which decision, until when it is decided, and what came of it."""

    side: Side
    against: DisputeState
    note: str
    appealed_at: datetime
    decide_by: datetime
    decided_at: datetime | None
    decision_note: str | None
    outcome: Annotated[str, one_of(("stands", "changed"))] | None


class DisputeShown(Struct, frozen=True, kw_only=True):
    """A dispute; both sides see the same.

    `credited` is what the decision gives back to the buyer; `paid_by` says whether the publisher or the platform bears
    it, `decided_by` who or what decided; operators are not named.
    """

    id: str
    sale: str
    reason: str
    sub_reason: str | None
    note: str
    evidence: list[Any]
    files: list[FileShown]
    state: DisputeState
    opened_at: datetime
    hearing: HearingShown
    decide_by: datetime
    decided_at: datetime | None
    decided_by: Annotated[str, one_of(("operator", "publisher", "machine", "silence"))] | None
    decision_note: str | None
    credited: Amount | None
    paid_by: Annotated[str, one_of(("publisher", "platform"))] | None
    appeal_until: datetime | None
    appeal: AppealShown | None
    group: str | None


class GroupShown(Struct, frozen=True, kw_only=True):
    """What became of a verdict on many sales: how many there were, and why some were passed over.

    `returned` is what went back, in each currency.
    """

    id: str
    sales: int
    decided: int
    returned: list[Amount]
    skipped: dict[str, int]
