"""Plain leads that come at once are sold together; a sale's id comes with its lead."""

from alembic import op

from migrations.sql import run_sql

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    """Sell by the values that come now, one lead at a time and several at once."""
    op.execute(
        "DROP FUNCTION marketplace.sell_plain(uuid, uuid, integer, text, text, text, integer, text, text, timestamptz,"
        " jsonb, bytea, integer, uuid, integer, uuid, bigint, boolean, bigint[], bigint, text, bytea[], integer,"
        " integer, bigint, integer, uuid, text, text)"
    )
    run_sql("0053_holds", "place_new_holds")
    run_sql("0053_together", "count_sale", "alone", "together")


def downgrade() -> None:
    """Refuse: the function before took other values, which no caller sends any more."""
    raise NotImplementedError("marketplace.sell_plain was replaced; restore a backup instead.")
