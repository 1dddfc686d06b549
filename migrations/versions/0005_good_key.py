"""The question whether a key is good, as a function that is planned into the query that asks."""

from migrations.sql import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Replace core.key_is_good by core.good_key."""
    run_sql("0005_good_key", "good_key")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
