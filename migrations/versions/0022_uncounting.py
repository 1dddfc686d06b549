"""Sales that come to nothing at once are each taken out of their order's caps and budgets."""

from migrations.sql import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Count back from the row as it is, not as it was before somebody else changed it."""
    run_sql("0022_uncounting", "uncount")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
