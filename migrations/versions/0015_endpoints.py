"""Endpoints with a breaker, attempts made by hand, and how often an account may ask for what costs something."""

from migrations.sql import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add what breakers, resending and the test button need."""
    run_sql("0015_endpoints", *("endpoints", "attempts", "rates"))


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
