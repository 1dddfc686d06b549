"""Disputes that are heard, decided in part, appealed once and proved by files; what the platform pays itself."""

from migrations.sql import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the ledger's compensation, then what the market keeps of a dispute."""
    run_sql("0011_compensation", "compensate")
    run_sql("0011_disputes", "tables")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
