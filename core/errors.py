"""The words in which every floor refuses, each with a stable code and without a status number.

Only `core/http/answers.py` knows which HTTP status belongs to which of these.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad field: where it is, a stable code, and a sentence that says what to do."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """A refusal that the caller can act on; nothing has been half done when it is raised."""

    code = "refused"

    def __init__(self, code: str = "", detail: str = "", faults: Iterable[Fault] = ()) -> None:
        self.code = code or self.code
        self.detail = detail
        self.faults = tuple(faults)
        super().__init__(detail or self.code)


class Malformed(DomainError):
    """The request cannot be read at all, or its values have the wrong types."""

    code = "malformed"


class Invalid(DomainError):
    """The request is well formed and refused; `faults` names every bad field at once."""

    code = "invalid"


class NotSignedIn(DomainError):
    """No valid credentials came with the request."""

    code = "not_signed_in"


class NotAllowed(DomainError):
    """Whoever asks is known and may not do this."""

    code = "not_allowed"


class NotFound(DomainError):
    """There is no such thing, or it is somebody else's."""

    code = "not_found"


class Conflict(DomainError):
    """The thing is in a state that does not permit this."""

    code = "conflict"


class TooMany(DomainError):
    """A rate limit is reached; `retry_after_seconds` says when to come back."""

    code = "too_many_requests"

    def __init__(self, detail: str, retry_after_seconds: int) -> None:
        super().__init__("", detail)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(DomainError):
    """Something that the answer depends on is away for the moment; nothing was lost."""

    code = "unavailable"
