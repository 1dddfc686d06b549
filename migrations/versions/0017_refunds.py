"""Refunds of what was captured, what an earner owes after them, and fees."""

from migrations.sql import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add what billing needs to take money back after a capture, and to charge a fee."""
    run_sql("0017_refunds", "tables", "refund_capture", "net_owed", "fees")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
