"""The shapes of answers about a delivery that was tried with a sample lead."""

from typing import Annotated

from msgspec import Struct

from core.schemas import Amount
from marketplace.web.api.answers import FaultShown, one_of


class WrittenRequest(Struct, frozen=True, kw_only=True):
    """The request of a sample lead, with credentials hidden."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


class TrialAnswer(Struct, frozen=True, kw_only=True):
    """What came back; `body` is its beginning."""

    status: int
    milliseconds: int
    body: str


class TrialVerdict(Struct, frozen=True, kw_only=True):
    """What our rules read from the answer, or from there being none."""

    outcome: Annotated[str, one_of(("accepted", "refused", "error"))]
    reason: str
    price: Amount | None
    reference: str | None
    redirect_url: str | None


class TrialShown(Struct, frozen=True, kw_only=True):
    """What a trial came to; without a verdict nothing was sent, without an answer nothing came back."""

    request: WrittenRequest
    answer: TrialAnswer | None
    verdict: TrialVerdict | None
    problems: list[FaultShown]
