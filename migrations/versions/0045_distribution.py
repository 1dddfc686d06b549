"""How a vertical chooses who buys: by price, priority, turn or target share, and one buyer against several by value."""

from migrations.sql import run_sql

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Let the sale go by the vertical's rules; what was sold until now was sold by price, and shared by the terms."""
    run_sql(
        "0045_distribution",
        "tables",
        "deals",
        "types",
        "margins",
        "extras",
        "choose",
        "sell",
        "store_sales",
        "post_lead",
    )


def downgrade() -> None:
    """Refuse: sales were made by rules that the schema before does not know."""
    raise NotImplementedError("Sales that were made by these rules stay; restore a backup instead.")
