"""Publishers' terms are kept in versions of which each sale names one; a batch of sales is settled at once."""

from migrations.sql import run_sql

revision = "0040"
down_revision = "0038"


def upgrade() -> None:
    """Add versions of terms and weekly reviews, pin the version to each sale, settle and net by sets."""
    run_sql("0040_terms", "terms", "change_terms", "said_terms")
    run_sql("0040_netting", "net_owed")
    run_sql("0040_news", "announce_all")
    run_sql("0040_settlement", "sales", "post_lead", "store_sales", "settle_due")


def downgrade() -> None:
    """Refuse: money was moved under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
