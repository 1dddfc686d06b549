"""The terms of a publisher, as a function that is planned into the query that asks."""

from migrations.sql import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Replace affiliates.terms_of."""
    run_sql("0007_terms_at_once", "terms_of")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
