"""Decisions with very many candidates are kept in fewer letters; what-if runs that operators ask for are kept."""

from migrations.sql import run_sql

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    """Write each candidate of a long decision as one short text, and keep what operators asked to see run again."""
    run_sql("0050_short_decisions", "short", "store", "runs")


def downgrade() -> None:
    """Refuse: what is kept short could not be read any more."""
    raise NotImplementedError("Decisions are kept in the short form; restore a backup instead.")
