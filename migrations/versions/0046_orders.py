"""What orders may say more: places by postal code, pauses that end by themselves, lists that keep leads away."""

from migrations.sql import run_sql

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    """Add the centres of postal codes with their imports, and the instant at which a paused order buys again."""
    run_sql("0046_orders", "postal_centres", "pauses", "prices", "suppression")


def downgrade() -> None:
    """Refuse: leads were sold by places known under this schema."""
    raise NotImplementedError("What was sold by its place stays so; restore a backup instead.")
