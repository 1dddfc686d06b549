"""What a bank tells twice is booked once, whole or in parts; two people for what no balance proves and for accounts."""

from migrations.sql import run_sql

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Add by what batches and days are known again, who agreed to what, and money that the bank took back."""
    run_sql("0038_bank_doubles", "lines", "entries", "imports", "accounts", "moves")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
