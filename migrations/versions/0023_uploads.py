"""Files of leads that publishers upload: what each says, how far it has come, and what became of every row."""

from migrations.sql import run_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add uploads, their sealed files, and their rows."""
    run_sql("0023_uploads", "tables")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
