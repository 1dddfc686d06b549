"""Saved cards, wallets that top themselves up with them, and the watch over how long a wallet lasts."""

from migrations.sql import run_sql

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Add cards, settings, their log and the paces of wallets; let a top-up charge a saved card."""
    run_sql("0032_recharge", "cards", "recharge", "paces")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
