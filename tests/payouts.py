"""A payout as it stands in the books once it is paid, without its rounds: for tests of what comes after."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from core.db import db
from core.ids import new_id

# A rail that has ended since: no run finds one, so that none drafts a payout by itself.
RAIL = """
    INSERT INTO billing.payout_rails (id, account_id, kind, state, destination, holder, country, said_by, said_at, ended_at)
    VALUES (:rail, :account, 'sepa', 'closed', 'DE89370400440532013000', 'Ada Martin', 'DE', 'user:test', :at, :at)"""
RUN = """
    INSERT INTO billing.payout_runs (id, key, currency, due_on, begun_by, begun_at, ended_at)
    VALUES (:run, 'test:' || :run, 'EUR', CAST(:at AS date), 'test', :at, :at)"""
DRAFT = """
    INSERT INTO billing.payouts (id, run_id, account_id, attempt, currency, amount_minor, rail_id, state, drafted_at,
        moved_by, moved_at)
    VALUES (:payout, :run, :account, 1, 'EUR', :minor, :rail, 'drafted', :at, 'test', :at)"""
MOVES = (
    "state = 'approved', approved_by = 'user:test'",
    "state = 'ordered', ordered_at = :at",
    "state = 'sent'",
    "state = 'paid'",
)
BOOKED = """
    WITH t AS (INSERT INTO billing.transactions (key, kind, currency, source, actor, occurred_at)
               VALUES (CONCAT('payout:', CAST(:run AS text), ':', CAST(:account AS text), CAST(:end AS text)), :kind,
                       'EUR', CAST(:payout AS text), 'test', :at) RETURNING id)
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT t.id, l.line, l.account, l.owner_id, 'EUR', l.minor
    FROM t, (VALUES (1::smallint, CAST(:debit AS smallint), CAST(:account AS uuid), CAST(:minor AS bigint)),
                    (2, CAST(:credit AS smallint), CASE WHEN :credit = 2120 THEN CAST(:account AS uuid) END,
                     -CAST(:minor AS bigint))) AS l (line, account, owner_id, minor)"""


def pay_out(account_id: UUID, at: datetime) -> None:
    """Pay an earner all that is payable to him, in the session's transaction; nothing when that is nothing."""
    query = text("SELECT payable FROM billing.earners WHERE account_id = :account FOR UPDATE")
    minor = db.session.scalar(query, {"account": account_id}) or 0
    if minor <= 0:
        return
    values = {"account": account_id, "at": at, "minor": minor}
    values |= {"rail": new_id(), "run": new_id(), "payout": new_id()}
    for statement in (RAIL, RUN, DRAFT, *(f"UPDATE billing.payouts SET {move} WHERE id = :payout" for move in MOVES)):
        db.session.execute(text(statement), values)
    db.session.execute(text("UPDATE billing.earners SET payable = 0 WHERE account_id = :account"), values)
    for kind, end, debit, credit in (("payout", "", 2100, 2120), ("transfer", ":paid", 2120, 1030)):
        posting = {"kind": kind, "end": end, "debit": debit, "credit": credit}
        db.session.execute(text(BOOKED), values | posting)
