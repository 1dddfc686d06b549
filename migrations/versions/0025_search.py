"""Accounts are found by how their name begins."""

from migrations.sql import run_sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Index the names of accounts in small letters."""
    run_sql("0025_search", "names")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
