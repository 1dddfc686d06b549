"""Money in by bank transfer: pro-formas, statements with their entries, and what is done about suspense."""

from migrations.sql import run_sql

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the tables, what guards them, and the one function by which suspense is used up."""
    run_sql("0034_bank", "tables", "suspense", "guards")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
