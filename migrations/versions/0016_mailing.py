"""Mail and files to buyers: addresses to confirm, mail that came back, files by schedule and what is in them."""

from migrations.sql import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add what mail, bounces and files need."""
    run_sql("0016_mailing", "tables")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
