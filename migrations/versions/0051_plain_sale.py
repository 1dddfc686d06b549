"""The plain sale gets a statement of its own, in plain values; what no sale needs leaves the sale's way."""

from migrations.sql import run_sql

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Sell a plain lead by one function of scalars; all other leads by the general one, which no longer tries first."""
    run_sql("0051_plain_sale", "plain", "general", "keeping")


def downgrade() -> None:
    """Refuse: the program before calls functions that are gone."""
    raise NotImplementedError("The sale functions were replaced; restore a backup instead.")
