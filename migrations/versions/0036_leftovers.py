"""What accounts look up in a long history goes by an index of theirs."""

from migrations.sql import run_sql

revision = "0036"
down_revision = "0031"


def upgrade() -> None:
    """Index each earner's open reserve."""
    run_sql("0036_leftovers", "indexes")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
