"""Audits that end with just what their checks found, and are neither forged nor emptied."""

from migrations.sql import run_sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Guard how an audit begins and ends."""
    run_sql("0031_audit_guards", "keep_audit")


def downgrade() -> None:
    """Refuse: audits were kept under this schema."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
