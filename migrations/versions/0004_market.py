"""The market: verticals, orders with their counters, leads, sales, disputes, and the sale function."""

from migrations.sql import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the schema marketplace."""
    run_sql("0004_market", "tables", "counters", "types", "choose", "sell", "post_lead")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
