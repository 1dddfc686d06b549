"""What each invariant of the books means to a reader, and how it is known where no audit asks for it."""

from dataclasses import dataclass
from typing import Any

from core.words import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must always hold: what it means, and, for what no audit asks, how it is known instead."""

    means: Any
    instead: Any = ""


_TESTS = _l("Shown by the program's tests, which replay and shuffle; it cannot be asked of the books.")
_FIGURE = _l("A figure, not a check: an answer may be on its way.")
INVARIANTS = {
    "I1": Invariant(_l("What one transaction takes, it gives: its entries sum to zero in its currency.")),
    "I2": Invariant(_l("All balances together sum to zero in each currency.")),
    "I3": Invariant(_l("The balances that pages and purchases read are the sums of their entries.")),
    "I4": Invariant(_l("No wallet and no publisher's balance is below zero.")),
    "I5": Invariant(_l("Money that is set aside is exactly what open holds and open reserves say.")),
    "I6": Invariant(_l("Money on its way to publishers is exactly the open payouts.")),
    "I7": Invariant(_l("What passes through the payment provider's clearing returns to zero."), _FIGURE),
    "I8": Invariant(_l("Our account at the payment provider is what the provider says."), _FIGURE),
    "I9": Invariant(_l("There is enough to pay everybody whom the exchange owes."), _FIGURE),
    "I10": Invariant(_l("A request is booked once or refused once, never both, whatever is repeated.")),
    "I11": Invariant(_l("A hold and a reserve end once, by a transaction of their own.")),
    "I12": Invariant(_l("A lead's price is what the publisher got, what the exchange kept and what went back.")),
    "I13": Invariant(_l("The whole history done again changes nothing."), _TESTS),
    "I14": Invariant(_l("Balances computed anew from all entries are the live ones.")),
    "I15": Invariant(_l("Messages of the payment provider give the same balances in any order."), _TESTS),
    "L3": Invariant(_l("The market says the same as its sales: counters, limits, persons, deliveries.")),
    "L11": Invariant(_l("A sale has the price of the order as it was at that moment; later changes never reach back.")),
}
