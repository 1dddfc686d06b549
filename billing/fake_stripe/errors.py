"""Refusals in Stripe's form: a status and an `error` object with type, code, param and message."""

from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """An answer other than 200.

    `keeps` says that what was done before it stays done, such as the record of a declined card; `is_stored` that the
    same idempotency key meets the same refusal again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        keeps: bool = False,
        is_stored: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.keeps, self.is_stored = status, keeps, is_stored
        self.body: Json = {"error": {"message": message, "type": kind, **more}}


def missing(kind: str, object_id: str, param: str = "id", status: int = 404) -> Refused:
    """Return the refusal of an identifier that names nothing; 400 where it came as a parameter."""
    message = f"No such {kind.replace('_', '')}: '{object_id}'"
    return Refused(message, status=status, code="resource_missing", param=param)


def invalid(message: str, param: str, code: str | None = None) -> Refused:
    """Return the refusal of a parameter's value."""
    more: Json = {"code": code} if code else {}
    return Refused(message, param=param, **more)


def unreadable(message: str, param: str, code: str) -> Refused:
    """Return the refusal of parameters before anything was tried; the idempotency key stays free."""
    return Refused(message, param=param, code=code, is_stored=False)
