"""People who sign in: what confirms them, their second factor, and how often somebody tried."""

from migrations.sql import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Let users sign in; whoever exists already was opened by hand, so their address counts as confirmed."""
    run_sql("0021_sign_in", "users", "attempts")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
