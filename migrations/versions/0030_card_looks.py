"""Looking at the card processor: how far its lists were read, and how often a row was looked at in vain."""

from migrations.sql import run_sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the table of looks, and the misses of news and movements."""
    run_sql("0030_card_looks", "tables")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
