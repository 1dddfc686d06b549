"""Limits over all orders of a buyer, turns that are asked page by page, ladders beside prices that go by the lead."""

from migrations.sql import run_sql

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Let sales count for buyers who have limits, and choose by turn among some of many."""
    run_sql("0048_buyer_limits", "types", "tables", "counting", "choose", "sell", "prices")


def downgrade() -> None:
    """Refuse: sales were made within limits that the schema before does not know."""
    raise NotImplementedError("Sales that were made within these limits stay; restore a backup instead.")
