"""The ledger: the schema `billing` with its journal, guarded accounts, holds, reserves and their functions."""

from migrations.sql import run_sql, run_text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the schema billing: first its tables, then what guards them, then the functions that move money."""
    run_text("CREATE SCHEMA billing")
    run_sql(
        "0002_ledger",
        *("chart_of_accounts", "transactions", "wallets_and_earners", "holds", "reserve_lots", "refusals"),
        *("request_types", "refuse_change", "check_balance", "open_accounts", "covers"),
        *("is_hold_repeated", "place_hold", "ends_of_holds"),
        *("resolution_of", "claim_resolutions", "post_resolutions", "move_resolved_balances", "resolve_holds"),
        *("mature_reserves", "answer_for_key", "fund_wallet", "post_credit"),
    )


def downgrade() -> None:
    """Refuse: the books are not thrown away by a migration."""
    raise NotImplementedError("A ledger has no way back; restore a backup instead.")
