"""Receipts with numbers without gaps, promotional credit by operators, and raw news that is erased in time."""

import dataclasses
import json
import os

import sqlalchemy as sa
from alembic import op

from core.config import Settings
from migrations.sql import run_sql

revision = "0035"
down_revision = "0034"

# Payments that reached a wallet before there were receipts get theirs in the order in which they were booked.
BACKFILL = sa.text("""
    INSERT INTO billing.documents (id, kind, year, account_id, currency, amount_minor, about_id, transaction_id,
                                   content, issued_at)
    SELECT uuidv7(), 'receipt', extract(year FROM now() AT TIME ZONE 'UTC'), u.account_id, u.currency, u.amount_minor,
           u.id, t.id, CAST(:content AS jsonb) || jsonb_build_object(
               'payer', jsonb_build_object('name', a.name, 'address', '', 'vat_id', ''), 'payment_id', u.payment_id,
               'paid_at', to_char(t.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'language', coalesce((SELECT p.language FROM core.memberships m JOIN core.users p ON p.id = m.user_id
                                     WHERE m.account_id = a.id ORDER BY m.role = 'member', p.id LIMIT 1), 'en')),
           now()
    FROM billing.transactions t JOIN billing.top_ups u ON u.id = t.source::uuid
    JOIN core.accounts a ON a.id = u.account_id
    WHERE t.kind = 'top_up' AND u.state = 'paid' ORDER BY t.id
""")


def upgrade() -> None:
    """Add documents and what they need, and issue the receipts of old payments."""
    run_sql("0035_receipts", "documents", "promo_grants", "suspensions", "news")
    said = Settings.read(os.environ)
    content = {
        "layout": 1,
        "seller": dataclasses.asdict(said.seller),
        "method": "card",
        "refers_to": [],
        "is_test": said.test_money,
    }
    op.get_bind().execute(BACKFILL, {"content": json.dumps(content)})


def downgrade() -> None:
    """Refuse: documents were issued under this schema."""
    raise NotImplementedError("Documents that were issued stay; restore a backup instead.")
