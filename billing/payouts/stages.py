"""The way of a payout: which state may follow which; the database holds the same table and refuses anything else."""

from typing import Literal

State = Literal[
    "skipped", "drafted", "approved", "ordered", "sent", "paid", "refused", "failed", "reversed", "withdrawn"
]

NONE = "none"  # of a payout that is not there yet
MOVES = frozenset({
    (NONE, "drafted"), (NONE, "skipped"),
    ("drafted", "approved"), ("drafted", "withdrawn"),
    ("approved", "ordered"), ("approved", "withdrawn"),
    ("ordered", "sent"), ("ordered", "refused"),
    ("sent", "paid"), ("sent", "failed"),
    ("paid", "failed"), ("paid", "reversed"),
    ("failed", "paid"), ("failed", "reversed"),
})  # fmt: skip
WAITING = ("drafted", "approved")  # nothing has moved
IN_FLIGHT = ("ordered", "sent")  # no longer payable, and not known to have arrived
ORDERED = (*IN_FLIGHT, "paid", "refused", "failed", "reversed")


def may_move(before: str, after: str) -> bool:
    """Tell whether a payout may go from one state to another; staying is no move."""
    return (before, after) in MOVES
