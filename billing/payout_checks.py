"""The questions of the audit about money out: what is on its way, and what each payout booked."""

from billing.check import Check

IN_FLIGHT_IS_OPEN_PAYOUTS = """
    SELECT account_id, currency, r.in_flight AS in_flight_minor, p.minor AS open_payouts_minor
    FROM billing.earners r
    FULL JOIN (SELECT p.account_id, p.currency, sum(p.amount_minor) AS minor FROM billing.payouts p
               WHERE p.state IN ('ordered', 'sent') GROUP BY p.account_id, p.currency) p USING (account_id, currency)
    WHERE coalesce(r.in_flight, 0) <> coalesce(p.minor, 0)
"""

# What a payout should have taken from what is payable and put on its way, and back, against what was booked of it.
PAYOUTS_ARE_BOOKED = """
    WITH due AS (
        SELECT p.id::text AS payout_id, l.account, p.account_id AS owner_id, l.minor
        FROM billing.payouts p
        CROSS JOIN LATERAL (VALUES
            (2100::smallint, p.amount_minor - p.back_minor),
            (2120, CASE WHEN p.state IN ('ordered', 'sent') THEN -p.amount_minor ELSE 0 END)) AS l (account, minor)
        WHERE p.ordered_at IS NOT NULL),
    booked AS (
        SELECT t.source AS payout_id, e.account, e.owner_id, e.amount_minor AS minor
        FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
        WHERE t.kind IN ('payout', 'payout_back', 'transfer', 'transfer_back') AND e.account IN (2100, 2120))
    SELECT m.payout_id, a.name AS account, m.owner_id, sum(m.due_minor) AS due_minor,
           sum(m.booked_minor) AS booked_minor
    FROM (SELECT d.payout_id, d.account, d.owner_id, d.minor AS due_minor, 0 AS booked_minor FROM due d
          WHERE d.minor <> 0
          UNION ALL
          SELECT b.payout_id, b.account, b.owner_id, 0, b.minor FROM booked b) m
    JOIN billing.chart_of_accounts a ON a.code = m.account
    GROUP BY m.payout_id, a.name, m.owner_id
    HAVING sum(m.due_minor) <> sum(m.booked_minor)
"""

# Each kind of posting once a payout, under its own key, and nothing else moves money on its way.
PAYOUTS_ARE_KEYED = r"""
    SELECT t.id AS transaction_id, t.key, t.kind, p.id AS payout_id
    FROM billing.transactions t
    LEFT JOIN billing.payouts p ON p.id::text = t.source
    CROSS JOIN LATERAL (SELECT 'payout\:' || p.run_id || '\:' || p.account_id
                            || CASE WHEN p.attempt > 1 THEN '\:' || p.attempt ELSE '' END AS key) k
    WHERE t.kind IN ('payout', 'payout_back', 'transfer', 'transfer_back')
      AND (p.id IS NULL OR CASE t.kind
            WHEN 'payout' THEN t.key <> k.key
            WHEN 'payout_back' THEN t.key NOT IN (k.key || '\:refused', k.key || '\:failed')
            WHEN 'transfer' THEN t.key NOT IN ('tr\:' || coalesce(p.object_id, ''), k.key || '\:paid')
            ELSE NOT (starts_with(t.key, 'bt\:') OR t.key = k.key || '\:failed') END)
    UNION ALL
    SELECT t.id, t.key, t.kind, NULL
    FROM billing.entries e JOIN billing.transactions t ON t.id = e.transaction_id
    WHERE e.account = 2120 AND t.kind NOT IN ('payout', 'payout_back', 'transfer')
"""

# What was written off is booked by its own transaction between bad_debt and what that earner owed, and by nothing else.
WRITE_OFFS_ARE_BOOKED = r"""
    SELECT w.id AS write_off_id, t.id AS transaction_id, t.key, w.state, w.amount_minor
    FROM (SELECT * FROM billing.write_offs WHERE state = 'booked') w
    FULL JOIN (SELECT * FROM billing.transactions WHERE kind = 'write_off') t ON t.key = 'write_off\:' || w.id
    LEFT JOIN LATERAL (
        SELECT count(*) AS lines, sum(e.amount_minor) FILTER (WHERE e.account = 5200) AS lost,
               sum(-e.amount_minor) FILTER (WHERE e.account = 1100 AND e.owner_id = w.account_id) AS given_up
        FROM billing.entries e WHERE e.transaction_id = t.id AND e.currency = w.currency) e ON true
    WHERE w.id IS NULL OR t.id IS NULL
        OR (e.lines, e.lost, e.given_up) IS DISTINCT FROM (2, w.amount_minor, w.amount_minor)
"""

PAYOUT_CHECKS = (
    Check("I6", "money in flight is the open payouts", IN_FLIGHT_IS_OPEN_PAYOUTS),
    Check("I6", "each payout is booked as it stands", PAYOUTS_ARE_BOOKED),
    Check("I10", "what a payout books stands under its own key", PAYOUTS_ARE_KEYED),
    Check("I12", "what is written off of debts is booked as two people agreed", WRITE_OFFS_ARE_BOOKED),
)
