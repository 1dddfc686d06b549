"""The ground floor: accounts, keys, idempotency, outbox, clock, and the tables of the job queue."""

from procrastinate.schema import SchemaManager

from migrations.sql import run_sql, run_text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the schema core, and the job queue's own tables in public, as its package ships them."""
    run_sql("0001_core", "tables", "functions")
    run_text(SchemaManager.get_schema())


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
