"""Whether a key is good is read from one row: it knows the standing of its account."""

from migrations.sql import run_sql

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Give each key the standing of its account, kept by the foreign key."""
    run_sql("0052_good_key", "keys")


def downgrade() -> None:
    """Refuse: the function before read another table, which no caller expects any more."""
    raise NotImplementedError("core.good_key was replaced; restore a backup instead.")
