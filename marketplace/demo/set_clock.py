"""A clock for days that are played without waiting."""

import threading
from datetime import datetime


class SetClock(threading.local):
    """A clock that stands at the instant it was set to, in each thread by itself."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return that instant."""
        return self.at
