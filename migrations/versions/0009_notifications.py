"""Webhooks of accounts, what is delivered to them, and every attempt; who asked for a daily mail."""

from migrations.sql import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables, and let present keys manage webhooks."""
    run_sql("0009_notifications", "webhooks", "deliveries", "digests")


def downgrade() -> None:
    """Refuse: news may be on its way."""
    raise NotImplementedError("Deliveries have no way back; restore a backup instead.")
