"""Sales that are delivered later: their deliveries, every attempt, and the sale to the next buyer."""

from migrations.sql import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add what deliveries need and let the sale function begin them."""
    run_sql(
        "0013_deliveries",
        *("tables", "store", "sell_again"),
    )


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
