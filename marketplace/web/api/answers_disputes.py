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
    it, `decided_by` who or what decided; operators are not named. `after_settlement` says that the sale was settled
    when the claim was opened, `fee` what the buyer pays if it is rejected and what became of that.
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
    opened_by: Annotated[str, one_of(("buyer", "operator"))]
    after_settlement: bool
    fee: "FeeShown | None"


class FeeShown(Struct, frozen=True, kw_only=True):
    """The fee of a claim: due if it is rejected, charged, waived as the wallet lacked it, or given back on appeal."""

    amount: Amount
    state: Annotated[str, one_of(("due", "charged", "waived", "returned"))]


class StandingShown(Struct, frozen=True, kw_only=True):
    """How a buyer stands as one who claims, before he opens the next dispute.

    Of `bought` sales in 30 days `sent_back` went back or are disputed; above the cap only what a machine can prove is
    heard. Of `decided` claims in 30 days `rejected` were; above the guard's share a claim needs a file, and costs
    `fee` in the sale's currency if it is rejected.
    """

    bought: int
    sent_back: int
    return_cap_percent: int
    return_cap_reached: bool
    decided: int
    rejected: int
    file_required: bool
    fee: list[Amount]


class SourceStandingShown(Struct, frozen=True, kw_only=True):
    """How a publisher's source stands that was ever warned or paused; `why` has the figures or an operator's note."""

    publisher: str
    source: str
    standing: Annotated[str, one_of(("active", "warned", "paused"))]
    since: datetime
    changed_at: datetime
    why: str | None


class GroupShown(Struct, frozen=True, kw_only=True):
    """What became of a verdict on many sales: how many there were, and why some were passed over.

    `returned` is what went back, in each currency.
    """

    id: str
    sales: int
    decided: int
    returned: list[Amount]
    skipped: dict[str, int]
