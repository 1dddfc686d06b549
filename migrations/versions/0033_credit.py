"""Credit lines of wallets, drawn by holds that available money does not cover, and debts paid by what comes in."""

from migrations.sql import run_sql

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add what a wallet may draw and owes, who pays it when, and draw and pay in the functions that move wallets."""
    run_sql("0033_credit", "wallets", "tables", "pay_debts", "draw", "lines", "post")


def downgrade() -> None:
    """Refuse: money was lent under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
