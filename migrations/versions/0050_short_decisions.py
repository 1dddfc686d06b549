"""Decisions with very many candidates are kept in fewer letters; those that stand are read as they are."""

from migrations.sql import run_sql

revision = "0050"
down_revision = "0047"


def upgrade() -> None:
    """Write each candidate of a long decision as one short text."""
    run_sql("0050_short_decisions", "short", "store")


def downgrade() -> None:
    """Refuse: what is kept short could not be read any more."""
    raise NotImplementedError("Decisions are kept in the short form; restore a backup instead.")
