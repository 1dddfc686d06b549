"""The commonest sale, to one exclusive buyer, written straight out; whatever is not plain is judged as before."""

from migrations.sql import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the straight way to the sale function."""
    run_sql(
        "0019_straight_sale",
        *("types", "announce", "sell", "post_lead"),
    )


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
