"""What becomes of a sale once it is made: kept by the lead, since what was wrong with it then would be wrong again.

A buyer who refused a lead when it was delivered refuses it again; so does one who did not take it in time. A lead that
was returned, or credited in part, is so by whoever has it, in the same proportion. Everything else stands.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from marketplace.leads.disputes.credit import Terms, reduced
from marketplace.what_if.happened import OVER, RETURNED, LeadCame, SaleThen

_WORDS = {"refused": "refused", "failed": "undeliverable"}


class Made(Protocol):
    """A sale as a fate must know it."""

    @property
    def price_minor(self) -> int:
        """What the buyer pays."""
        ...

    @property
    def payout_minor(self) -> int:
        """What the publisher gets of it."""
        ...


class Fate(Struct, frozen=True):
    """How a sale comes out: its state, when, and what of which price goes back.

    `payout_minor` is the publisher's part as the record has it, None where it follows from the sale.
    """

    state: str
    at: datetime | None
    of_minor: int = 1
    credited_minor: int = 0
    payout_minor: int | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether the buyer did not take the lead."""
        return self.state in OVER

    @property
    def word(self) -> str:
        """Return why the lead did not sell by it."""
        return _WORDS.get(self.state, self.state)

    def credit_of(self, price_minor: int) -> int:
        """Return what of the price of a sale that was taken goes back to its buyer."""
        if self.state == RETURNED:
            return price_minor
        return price_minor * self.credited_minor // self.of_minor

    def back_of(self, price_minor: int) -> int:
        """Return what goes back to the wallet."""
        return price_minor if self.is_over else self.credit_of(price_minor)

    def payout_of(self, sale: Made) -> int:
        """Return what the publisher keeps."""
        if self.is_over or self.state == RETURNED:
            return 0
        if self.payout_minor is not None:
            return self.payout_minor
        return reduced(Terms(sale.price_minor, sale.payout_minor, 0), self.credit_of(sale.price_minor)).payout_minor


STANDS = Fate("stands", None)


def fate_of(lead: LeadCame, buyer_id: UUID) -> Fate:
    """Return what becomes of a sale of this lead to this buyer, by what became of it then."""
    own = next((one for one in lead.sales if one.buyer_id == buyer_id), None)
    if own is not None:
        return _fate(own)
    others = [one for one in lead.sales if one.state not in OVER]
    others = [one for one in others if one.resale is None] or others  # what a later buyer found is the later lead's
    worst = max(others, key=lambda one: (one.state == RETURNED, one.credited_minor), default=None)
    return _fate(worst) if worst is not None and (worst.state == RETURNED or worst.credited_minor) else STANDS


def _fate(then: SaleThen) -> Fate:
    if then.state in (*OVER, RETURNED) or then.credited_minor:
        return Fate(then.state, then.ended_at, then.price_minor, then.credited_minor)
    return STANDS
