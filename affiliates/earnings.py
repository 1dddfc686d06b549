"""What a publisher has earned, in a publisher's words; the books behind it are billing's."""

from dataclasses import dataclass
from uuid import UUID

from billing import earnings_of
from core.money import Money


@dataclass(frozen=True, slots=True)
class Earnings:
    """Payable now, kept in reserve, paid (with what is on its way), and owed to the platform after claw-backs."""

    payable: Money
    reserve: Money
    paid: Money
    owed: Money


def earnings_in(publisher_id: UUID, currency: str) -> Earnings:
    """Return what the publisher has in one currency; zeros before the first settlement."""
    booked = earnings_of(publisher_id, currency)
    paid = Money(booked.paid.minor + booked.in_flight.minor, currency)
    return Earnings(booked.payable, booked.reserve, paid, booked.owed)
