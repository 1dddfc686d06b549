"""Audits are kept, the journal can be narrowed, failed jobs tell why, and operators say otherwise than the defaults."""

from migrations.sql import run_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add what the operator's pages on books, jobs and settings read."""
    run_sql("0024_books", "audits", "journal", "job_faults", "overrides")


def downgrade() -> None:
    """Refuse: what was found of the books is part of their history."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
