"""Where a sale's price was taken from, as its publisher is told."""

from typing import Literal

PaidFrom = Literal["escrow", "credit", "both"]


def paid_from(price_minor: int, drawn_minor: int) -> PaidFrom:
    """Tell whether a price was in escrow already, was drawn from the buyer's credit line, or both.

    Promotional credit counts as escrow: the exchange has it set aside.
    """
    if drawn_minor <= 0:
        return "escrow"
    return "credit" if drawn_minor >= price_minor else "both"
