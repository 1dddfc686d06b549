"""Every definition that a vertical ever had, kept by the database itself."""

from migrations.sql import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Keep the versions of verticals from now on."""
    run_sql("0020_vertical_versions", "tables")


def downgrade() -> None:
    """Refuse: leads were judged by what is kept here."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
