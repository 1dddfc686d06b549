"""Sources: where publishers post who speak another dialect, and the leads that Meta announces."""

from alembic import op

from migrations.sql import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the two tables."""
    run_sql("0010_sources", "sources")


def downgrade() -> None:
    """Remove them."""
    op.drop_table("meta_leads", schema="marketplace")
    op.drop_table("sources", schema="marketplace")
