"""What a request finds around it: the application's settings, its clock, and what it keeps for all requests."""

from collections.abc import Callable
from typing import TypeVar

from flask import current_app

from core.clock import Clock
from core.config import Settings

T = TypeVar("T")


def settings() -> Settings:
    """Return the settings this application was made with."""
    made_with: Settings = current_app.extensions["leadbourse_settings"]
    return made_with


def business_clock() -> Clock:
    """Return the clock that trade runs on in this application."""
    clock: Clock = current_app.extensions["leadbourse_clock"]
    return clock


def kept_by_app(name: str, make: Callable[[], T]) -> T:
    """Return what this application keeps under a name, making it when it is first asked for.

    That may be in the middle of a request: `make` must leave the session and its transaction alone.
    """
    if name not in current_app.extensions:
        current_app.extensions[name] = make()
    kept: T = current_app.extensions[name]
    return kept
