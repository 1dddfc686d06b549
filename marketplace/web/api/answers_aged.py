"""What a buyer is told of a lead that was not fresh when it was bought."""

from msgspec import Struct


class AgedShown(Struct, frozen=True, kw_only=True):
    """A lead that was not fresh when it was bought: how old, whether others have it, and why one sent it back."""

    age_minutes: int
    resold: bool
    returned: str | None
