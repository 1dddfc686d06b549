"""What there is to tell: the events that may be subscribed to, and how a piece of news is written for the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from core.clock import as_rfc3339
from core.http import kept_by_app
from core.ids import show_id

TEST_EVENT = "webhook.test"
DISABLED_EVENT = "webhook.disabled"
BOUNCED_EVENT = "mail.bounced"
EXTENSION = "leadbourse_news"


@dataclass(frozen=True, slots=True)
class News:
    """What the floors above tell of: names of events, and the prefix of the id that each member of `data` holds."""

    events: tuple[str, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_events(self) -> tuple[str, ...]:
        """Return the events that a webhook may ask for."""
        return (*self.events, DISABLED_EVENT, BOUNCED_EVENT)

    def body_of(self, event: str, occurred_at: datetime, data: Mapping[str, Any]) -> bytes:
        """Write news as Standard Webhooks has it: type, timestamp, and data with ids as the API shows them."""
        shown = {name: self._shown(name, value) for name, value in data.items()}
        return msgspec.json.encode({"type": event, "timestamp": as_rfc3339(occurred_at), "data": shown})

    def _shown(self, name: str, value: Any) -> Any:
        prefix = "whk" if name == "webhook" else self.prefixes.get(name)
        if prefix is None or not isinstance(value, str):
            return value
        try:
            return show_id(prefix, UUID(value))
        except ValueError:
            return value  # written for the outside already


def news() -> News:
    """Return what this application tells of, as its composition root said."""
    return kept_by_app(EXTENSION, News)
