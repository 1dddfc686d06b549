"""Money in by card: calls to the card processor, its news and its balance, top-ups, refunds of them, chargebacks."""

from migrations.sql import run_sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the tables, and the one function by which several lines are posted at once."""
    run_sql("0028_cards", "tables", "post")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
