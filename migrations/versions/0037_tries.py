"""What banks declined is counted over an account's wallets; a fee is charged to who lives on credit, too."""

from migrations.sql import run_sql

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Add what is counted, let go of what stood in its place, and replace the functions of fees."""
    run_sql("0037_tries", "tries", "fees")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
