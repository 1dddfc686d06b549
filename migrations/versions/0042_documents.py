"""Monthly invoices and statements with a line for each movement, and how each account's are taxed."""

from migrations.sql import run_sql

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Add lines, months and terms of tax; months that are over are issued by the clock, the oldest first."""
    run_sql("0042_documents", "documents", "lines", "vat", "sales")


def downgrade() -> None:
    """Refuse: documents were issued under this schema."""
    raise NotImplementedError("Documents that were issued stay; restore a backup instead.")
