"""What buyers say of their sales, and the clock of the first contact."""

from migrations.sql import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables of contacts, dispositions and their watch."""
    run_sql("0012_contact", "tables", "append_only")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
