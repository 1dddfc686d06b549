"""The shape of a lead as a publisher submits it: the body of POST /leads, field by field as the contract has it."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import force_setattr

from core.schemas import Amount, Whole

# What a person did to show interest (domain D2).
Interest = Literal["order", "request", "question", "call", "callback", "message", "download", "estimate",
                   "appointment", "subscription", "registration"]  # fmt: skip
# Where the person was reached (domain D9).
Channel = Literal["search", "context", "banner", "teaser", "social", "email", "sms", "mailing", "cold_call",
                  "exhibition", "flyer", "word_of_mouth", "referral", "webinar", "affiliate", "direct", "call",
                  "other"]  # fmt: skip

Name = Annotated[str, Meta(max_length=100)]
Line = Annotated[str, Meta(max_length=300)]
Link = Annotated[str, Meta(max_length=2000)]
Instant = Annotated[datetime, Meta(tz=True)]
IpText = Annotated[str, Meta(max_length=45)]
SubId = Annotated[str, Meta(pattern=r"^([1-9]|10)$(?!\n)", description="a sub id from 1 to 10")]
Label = Annotated[str, Meta(max_length=100)]
Scalar = None | bool | Whole | float | Annotated[str, Meta(max_length=2000)]
Attributes = Annotated[dict[Label, Scalar], Meta(max_length=200)]


class Contact(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Who the person is and how to reach them; null and empty text both mean not given."""

    first_name: Name | None = None
    last_name: Name | None = None
    # Longer than any usable address, so that one a little too long is judged unusable and not refused unread.
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=64)] | None = None
    profile_url: Link | None = None
    postal_code: Annotated[str, Meta(max_length=20)] | None = None
    city: Name | None = None
    address: Line | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    best_time: Line | None = None
    company: Line | None = None
    position: Line | None = None


class Source(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Where the publisher got the lead, and what it cost the publisher; blanks around its name do not count."""

    name: Label = "default"
    click_id: Label | None = None
    sub: Annotated[dict[SubId, Annotated[str, Meta(max_length=200)]], Meta(max_length=10)] = {}
    page_url: Link | None = None
    referrer: Link | None = None
    utm: Annotated[dict[Label, Annotated[str, Meta(max_length=300)]], Meta(max_length=20)] = {}
    gclid: Annotated[str, Meta(max_length=300)] | None = None
    cost: Amount | None = None
    ip: IpText | None = None
    user_agent: Annotated[str, Meta(max_length=1000)] | None = None
    form_seconds: Annotated[float, Meta(ge=0, le=10_000_000)] | None = None

    def __post_init__(self) -> None:
        """Read the name as rules and orders write it."""
        if self.name[:1].isspace() or self.name[-1:].isspace():
            force_setattr(self, "name", self.name.strip())


class Consent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What the person agreed to: the words, when, where, and who may get the data ("*" is anybody).

    With `resale` others may have the data later, though somebody bought it; `most_recipients` is how many may in all.
    """

    text: Annotated[str, Meta(max_length=10_000)] | None = None
    given_at: Instant | None = None
    page_url: Link | None = None
    ip: IpText | None = None
    recipients: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=100)] = ("*",)
    resale: bool | UnsetType = UNSET
    most_recipients: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET


class Submission(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One lead as submitted: read, well typed, and not yet judged."""

    vertical: Label
    region: Annotated[str, Meta(max_length=10)]
    contact: Contact
    attributes: Attributes = {}
    comments: Annotated[str, Meta(max_length=4000)] | None = None
    interest: Interest = "request"
    channel: Channel = "other"
    source: Source = Source()
    consent: Consent | None = None
    external_id: Annotated[str, Meta(max_length=200)] | None = None
    exclusive_only: bool = False
    min_price: Amount | None = None
    ping_id: Label | None = None
    test: bool = False
