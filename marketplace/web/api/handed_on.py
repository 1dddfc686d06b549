"""What the door before Flask hands on to the view of the same address: how the lead was refused, if it was asked."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_REFUSED = "leadbourse.refused"


def hand_on(environ: "WSGIEnvironment", refused: Exception) -> None:
    """Put what the intake raised where the view finds it."""
    environ[_REFUSED] = refused


def raise_again(environ: "WSGIEnvironment") -> None:
    """Raise what the intake raised at the door; return when the door did not ask it."""
    refused: Exception | None = environ.get(_REFUSED)
    if refused is not None:
        raise refused
