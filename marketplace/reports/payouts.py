"""What pages and programs ask of payouts besides themselves: the day on which one should be at its bank."""

from datetime import date

from affiliates import arrives_on
from billing import ShownPayout

UNDER_WAY = ("drafted", "approved", "ordered", "sent")


def expected_on(row: ShownPayout) -> date | None:
    """Return the day on which a payout that is under way should be at its bank, None for any other."""
    one = row.payout
    if one.state not in UNDER_WAY or row.rail is None:
        return None
    sent_at = one.moved_at if one.state == "sent" else (one.ordered_at or one.drafted_at)
    return arrives_on(row.rail.kind, sent_at.date())
