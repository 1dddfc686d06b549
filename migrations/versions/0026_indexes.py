"""Pages over a long history: what they count by day and sort by is read from indexes alone."""

from migrations.sql import run_sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the indexes."""
    run_sql("0026_indexes", "indexes")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
