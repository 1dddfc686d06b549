"""The shapes of what is said about a sale after it was bought: reports, how it is handled, and the speed of contact."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from marketplace.leads.dispositions import LOST_REASONS, STATUSES

Status = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]
LostReason = Annotated[str, Meta(extra_json_schema={"enum": list(LOST_REASONS)})]


class Handling(Struct, frozen=True, kw_only=True):
    """What the buyer has reported of a sale, summed up; `status` is the latest, null when nothing was reported."""

    status: Status | None
    status_at: datetime | None
    attempts: int
    attempt_days: int
    first_attempt_at: datetime | None
    first_contact_at: datetime | None
    follow_up_at: datetime | None


class DispositionShown(Struct, frozen=True, kw_only=True):
    """One report of a buyer on a sale."""

    id: str
    sale: str
    status: Status
    at: datetime
    lost_reason: LostReason | None
    follow_up_at: datetime | None
    note: str | None
    reported_at: datetime


class ContactSpeed(Struct, frozen=True, kw_only=True):
    """How fast the sales of one order, or delivered in one hour of its day, were first tried.

    `in_time_bp` is the share in ten-thousandths of those that were tried or whose time is up; seconds count from
    delivery by day and night, null without an attempt.
    """

    order: str | None
    hour: int | None
    sales: int
    attempted: int
    in_time: int
    in_time_bp: int | None
    median_seconds: int | None
    p90_seconds: int | None


class ContactRate(Struct, frozen=True, kw_only=True):
    """How many sales of one source were tried and reached, in ten-thousandths; null where there are fewer than ten."""

    source: str
    sales: int
    attempted_bp: int | None
    contacted_bp: int | None
