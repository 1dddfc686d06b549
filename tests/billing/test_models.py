"""The mapped rows say of every table what the migration made of it."""

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.schema import CheckConstraint

from core.db import db

TABLES = [
    "chart_of_accounts", "transactions", "entries", "wallets", "earners", "holds", "hold_resolutions", "reserve_lots",
    "lot_resolutions", "refunds", "refusals", "card_customers", "card_looks", "top_ups", "card_calls", "card_news",
    "balance_transactions", "card_balances", "give_backs", "give_back_parts", "chargebacks", "credit_lines", "debts",
    "draws", "debt_payments", "bank_accounts", "bank_account_wishes", "pro_formas", "bank_imports", "bank_statements", "bank_lines",
    "bank_entries", "suspense_items", "suspense_moves",
    "saved_cards", "card_pages", "recharges", "recharge_log", "wallet_paces",
    "payout_rails", "payout_runs", "payout_files", "payouts", "payout_stages", "payout_events", "payout_reversals",
    "payout_returns", "payout_results", "write_offs",
    "document_counters", "documents", "billing_details", "promo_grants",
    "document_lines", "document_months", "vat_terms", "document_prints",
]  # fmt: skip


@pytest.fixture
def inspector(books):
    engine = create_engine(books.url.replace("postgresql://", "postgresql+psycopg://", 1))
    yield inspect(engine)
    engine.dispose()


def test_every_table_is_mapped_and_no_other(inspector):
    mapped = {table.name for table in db.metadata.tables.values() if table.schema == "billing"}
    assert mapped == set(inspector.get_table_names(schema="billing")) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_columns_constraints_and_indexes_are_the_same_in(inspector, name):
    table = db.metadata.tables[f"billing.{name}"]
    dialect = inspector.dialect
    there = {
        column["name"]: (column["type"].compile(dialect), column["nullable"], column["default"] is None)
        for column in inspector.get_columns(name, schema="billing")
    }
    assert there == {
        column.name: (column.type.compile(dialect), column.nullable, column.server_default is None)
        for column in table.columns
    }
    assert inspector.get_pk_constraint(name, schema="billing")["name"] == table.primary_key.name
    assert {check["name"] for check in inspector.get_check_constraints(name, schema="billing")} == {
        check.name for check in table.constraints if isinstance(check, CheckConstraint)
    }
    assert {key["name"] for key in inspector.get_foreign_keys(name, schema="billing")} == {
        key.name for key in table.foreign_key_constraints
    }
    there_indexes = inspector.get_indexes(name, schema="billing")
    assert {
        index["name"]: index["column_names"] for index in there_indexes if not index.get("duplicates_constraint")
    } == {index.name: [column.name for column in index.columns] for index in table.indexes}
