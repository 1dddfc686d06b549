"""Late claims, the guard against false ones, suppression lists, the breaker of sources, windows that nest."""

from migrations.sql import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add what claims after settlement need, and what keeps claims and sources honest."""
    run_sql("0018_claims", "tables")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
