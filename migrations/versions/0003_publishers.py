"""Publishers and their terms."""

from migrations.sql import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the schema affiliates."""
    run_sql("0003_publishers", "publishers")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
