"""Holds in fewer steps, and one CHECK a table where every sale writes."""

from migrations.sql import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Replace what places holds and what checks the journal."""
    run_sql(
        "0006_quick_hold",
        *("checks", "spendable", "place_hold", "check_balance"),
    )


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
