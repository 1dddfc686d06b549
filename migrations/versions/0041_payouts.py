"""Money goes out: rails on which earners are paid, runs that draft payouts, what became of each, files and results."""

from migrations.sql import run_sql

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Add the tables, what they enforce, and the postings that move an earner."""
    run_sql("0041_payouts", "tables", "stages", "postings", "calls", "suspense")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
