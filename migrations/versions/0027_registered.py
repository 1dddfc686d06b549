"""Since when an account is here that registered by itself."""

from migrations.sql import run_sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the instant."""
    run_sql("0027_registered", "registered")


def downgrade() -> None:
    """Refuse: who is new would be forgotten."""
    raise NotImplementedError("There is no way back; restore a backup instead.")
