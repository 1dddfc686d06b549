"""Runs the migrations on the application's own engine, one at a time however many processes start."""

from alembic import context
from flask import current_app

from core.db import db

# Any number will do as long as nothing else in this database locks by it.
MIGRATION_LOCK = 5_302_017


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    return not (kind == "table" and (name or "").startswith(("procrastinate_", "alembic_")))


def run() -> None:
    """Bring the database up to date within one transaction, after taking the migration lock."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=current_app.extensions["migrate"].db.metadata,
            include_schemas=True,
            include_object=_is_ours,
            transaction_per_migration=True,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})")
            connection.commit()


run()
