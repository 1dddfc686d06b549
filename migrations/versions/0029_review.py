"""What waits for an operator and what people did is found by indexes; a list's filters are kept under names."""

from migrations.sql import run_sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Index what stands still and what people did, and add the views that people save."""
    run_sql("0029_review", "waiting", "deeds", "saved_views")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
