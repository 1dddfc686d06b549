"""Leads are offered again: kept while they may be, sold by decisions of their own, and woken by orders that change."""

from migrations.sql import run_sql

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Keep every lead that nobody bought; those that came before are offered like any other."""
    run_sql("0049_again", "tables", "keeping", "offer_again")


def downgrade() -> None:
    """Refuse: leads were sold by further offers that the schema before does not know."""
    raise NotImplementedError("What was sold by further offers stays so; restore a backup instead.")
