"""Deliveries that a web process makes inside the publisher's call."""

from migrations.sql import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Let the sale function leave a sale in the hands of whoever calls it, and keep where a buyer sends the person."""
    run_sql(
        "0014_sync",
        *("tables", "store"),
    )


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
