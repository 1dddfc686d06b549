"""What accounts look up in a long history goes by an index of theirs; keys say when they were last used."""

from migrations.sql import run_sql

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add the indexes and the day of the last use."""
    run_sql("0036_leftovers", "indexes", "last_used")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
