"""Terms of tax from a day on, so that a rate may change within a month; and prints of long documents."""

from migrations.sql import run_sql

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Add the day from which terms of tax hold, and where prints of long documents are kept."""
    run_sql("0044_vat_days", "vat_days", "prints")


def downgrade() -> None:
    """Refuse: documents were issued under this schema."""
    raise NotImplementedError("Documents that were issued stay; restore a backup instead.")
