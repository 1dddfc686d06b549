"""How many calls of this process wait for buyers: bounded for all and for each order, so a slow one stops nobody."""

import threading
from collections import Counter
from uuid import UUID

from core.http import kept_by_app, settings


class Waits:
    """Counts the calls that wait; threads share it."""

    def __init__(self, most: int, most_per_order: int) -> None:
        self._most = most
        self._most_per_order = most_per_order
        self._waiting: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def enter(self, order_id: UUID) -> bool:
        """Begin to wait for an order's buyer; False when too many do already, and nothing is begun."""
        with self._lock:
            if self._waiting.total() >= self._most or self._waiting[order_id] >= self._most_per_order:
                return False
            self._waiting[order_id] += 1
            return True

    def leave(self, order_id: UUID) -> None:
        """Wait no more."""
        with self._lock:
            self._waiting[order_id] -= 1
            self._waiting += Counter()


def waits() -> Waits:
    """Return this application's count: three quarters of its spare threads may wait, one quarter for one order."""
    spare = settings().web_spare_threads
    return kept_by_app("leadbourse_waits", lambda: Waits(spare * 3 // 4, spare // 4))
