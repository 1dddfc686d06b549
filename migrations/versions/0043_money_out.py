"""Money out, attacked: who owes is not paid what is not netted yet; debts that are given up; news that wait for two."""

from migrations.sql import run_sql

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Replace the function that moves an earner, and let statements tell of payouts; add wishes to write off."""
    run_sql("0043_money_out", "move_earner", "statements", "write_offs", "people")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
