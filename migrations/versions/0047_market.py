"""Market data: what was offered and sold per day, vertical and region, what orders came to, and how sources do."""

from migrations.sql import run_sql

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Add the counted days of the market and of orders, the depth of the book, and the quality of sources."""
    run_sql("0047_market", "tables")


def downgrade() -> None:
    """Take the counted figures away again: they are counted from leads, sales and decisions, which stay."""
    run_sql("0047_market", "gone")
