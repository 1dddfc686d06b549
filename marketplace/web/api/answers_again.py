"""The shapes of answers about leads that are offered again."""

from datetime import datetime

from msgspec import Struct

from core.schemas import Amount


class FurtherOfferShown(Struct, frozen=True, kw_only=True):
    """One time that a lead was offered again: when, at which age and past, and what came of it.

    `price_bp` is what leads of its age cost of fresh ones, `ceiling` the most that one costs that was sold before;
    `returned` is why a buyer had sent it back. `why` tells of every order.
    """

    number: int
    at: datetime
    kind: str
    age_minutes: int
    price_bp: int
    ceiling: Amount | None
    least: Amount
    returned: str | None
    outcome: str
    orders_tried: int
    sales: int
    why: str


class OfferingShown(Struct, frozen=True, kw_only=True):
    """Whether a lead is offered again (open, off, ended), why not or what it waits for, and until when, if known."""

    state: str
    why: str | None
    until: datetime | None
    waiting_until: datetime | None
