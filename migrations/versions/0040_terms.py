"""Sales are settled by one call a batch."""

from migrations.sql import run_sql

revision = "0040"
down_revision = "0036"


def upgrade() -> None:
    """Add what settles many sales at once, and net debts at once too."""
    run_sql("0040_terms", "announce_all", "settle_due", "net_owed")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
