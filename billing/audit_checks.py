"""The questions of the audit as SQL: each returns where the books are wrong, and nothing when they are right.

The numbers are those of docs/money.md. Every query reads one snapshot, so it may run beside live traffic.
"""

from billing.bank.audit_checks import BANK_CHECKS
from billing.check import Check
from billing.credit.audit_checks import CREDIT_CHECKS
from billing.document_checks import DOCUMENT_CHECKS
from billing.funding.audit_checks import CARD_CHECKS
from billing.payout_checks import PAYOUT_CHECKS

# What the entries say of every guarded account: one row per owner, currency and account, on the account's own side.
_GUARDED = """
    WITH booked AS (
        SELECT e.owner_id, e.currency, e.account,
               sum(CASE WHEN e.account IN (1100, 1110) THEN e.amount_minor ELSE -e.amount_minor END) AS minor
        FROM billing.entries e
        WHERE e.account IN (1100, 1110, 2000, 2010, 2020, 2030, 2100, 2110, 2120)
        GROUP BY e.owner_id, e.currency, e.account),
    cached AS (
        SELECT w.account_id AS owner_id, w.currency, c.account, c.minor
        FROM billing.wallets w
        CROSS JOIN LATERAL (VALUES
            (2000::smallint, w.available), (2010, w.held), (2020, w.frozen), (2030, w.promo), (1110, w.drawn + w.owed))
            AS c (account, minor)
        UNION ALL
        SELECT r.account_id, r.currency, c.account, c.minor
        FROM billing.earners r
        CROSS JOIN LATERAL (VALUES
            (2100::smallint, r.payable), (2110, r.reserve), (2120, r.in_flight), (1100, r.owed))
            AS c (account, minor))
"""

ZERO_SUMS = """
    SELECT t.id AS transaction_id, t.key, e.currency, coalesce(sum(e.amount_minor), 0) AS sum_minor,
           count(e.line) AS lines
    FROM billing.transactions t
    LEFT JOIN billing.entries e ON e.transaction_id = t.id
    GROUP BY t.id, t.key, e.currency
    HAVING coalesce(sum(e.amount_minor), 0) <> 0 OR e.currency IS DISTINCT FROM t.currency
    UNION ALL
    SELECT e.transaction_id, NULL, e.currency, sum(e.amount_minor), count(*)
    FROM billing.entries e
    WHERE NOT EXISTS (SELECT FROM billing.transactions t WHERE t.id = e.transaction_id)
    GROUP BY e.transaction_id, e.currency
"""

# Guarded accounts by their cached rows, platform accounts by their entries: two sources that must meet at zero.
BALANCES_SUM_TO_ZERO = (
    _GUARDED
    + """
    SELECT b.currency, sum(b.minor) AS sum_minor
    FROM (SELECT c.currency, CASE WHEN c.account IN (1100, 1110) THEN c.minor ELSE -c.minor END AS minor
          FROM cached c
          UNION ALL
          SELECT e.currency, e.amount_minor FROM billing.entries e
          WHERE e.account NOT IN (1100, 1110, 2000, 2010, 2020, 2030, 2100, 2110, 2120)) b
    GROUP BY b.currency
    HAVING sum(b.minor) <> 0
"""
)

CACHED_BALANCES = (
    _GUARDED
    + """
    SELECT owner_id, currency, a.name AS account, c.minor AS cached_minor, b.minor AS booked_minor
    FROM booked b
    FULL JOIN cached c USING (owner_id, currency, account)
    JOIN billing.chart_of_accounts a ON a.code = account
    WHERE coalesce(b.minor, 0) <> coalesce(c.minor, 0)
"""
)

NEVER_NEGATIVE = (
    _GUARDED
    + """
    SELECT c.owner_id, c.currency, a.name AS account, c.minor AS cached_minor
    FROM cached c
    JOIN billing.chart_of_accounts a ON a.code = c.account
    WHERE c.minor < 0
"""
)

HELD_IS_OPEN_HOLDS = """
    SELECT account_id, currency, w.held AS held_minor, h.minor AS open_holds_minor
    FROM billing.wallets w
    FULL JOIN (
        SELECT h.account_id, h.currency, sum(h.amount_minor) AS minor
        FROM billing.holds h
        WHERE NOT EXISTS (SELECT FROM billing.hold_resolutions v WHERE v.hold_id = h.id)
        GROUP BY h.account_id, h.currency) h USING (account_id, currency)
    WHERE coalesce(w.held, 0) <> coalesce(h.minor, 0)
"""

RESERVE_IS_OPEN_LOTS = """
    SELECT account_id, currency, r.reserve AS reserve_minor, l.minor AS open_lots_minor
    FROM billing.earners r
    FULL JOIN (
        SELECT l.account_id, l.currency, sum(l.amount_minor) AS minor
        FROM billing.reserve_lots l
        WHERE NOT EXISTS (SELECT FROM billing.lot_resolutions v WHERE v.lot_id = l.id)
        GROUP BY l.account_id, l.currency) l USING (account_id, currency)
    WHERE coalesce(r.reserve, 0) <> coalesce(l.minor, 0)
"""

KEYS_ARE_DECIDED_ONCE = r"""
    SELECT k.key, string_agg(k.state, ', ' ORDER BY k.state) AS states
    FROM (SELECT t.key, 'posted' AS state FROM billing.transactions t
          UNION ALL SELECT r.key, 'refused' FROM billing.refusals r) k
    GROUP BY k.key
    HAVING count(*) > 1
"""

HOLDS_RESOLVE_ONCE = r"""
    SELECT v.hold_id, count(*) AS resolutions, min(t.key) AS key
    FROM billing.hold_resolutions v
    LEFT JOIN billing.transactions t ON t.id = v.transaction_id
    GROUP BY v.hold_id
    HAVING count(*) > 1 OR bool_or(t.key IS DISTINCT FROM 'hold\:' || v.hold_id || '\:resolve')
    UNION ALL
    SELECT t.source::uuid, 0, t.key
    FROM billing.transactions t
    WHERE t.kind = 'resolve'
      AND NOT EXISTS (SELECT FROM billing.hold_resolutions v WHERE v.transaction_id = t.id)
"""

LOTS_RESOLVE_ONCE = """
    SELECT l.id AS lot_id, l.amount_minor, l.closed_at, count(v.lot_id) AS resolutions,
           sum(v.matured_minor + v.clawed_back_minor) AS resolved_minor
    FROM billing.reserve_lots l
    LEFT JOIN billing.lot_resolutions v ON v.lot_id = l.id
    GROUP BY l.id, l.amount_minor, l.closed_at
    HAVING count(v.lot_id) <> CASE WHEN l.closed_at IS NULL THEN 0 ELSE 1 END
        OR sum(v.matured_minor + v.clawed_back_minor) <> l.amount_minor
"""

# What a placed hold and its end should have booked, line for line, against what was booked.
HOLDS_ARE_BOOKED = """
    WITH due AS (
        SELECT h.id AS hold_id, h.transaction_id, l.account, l.owner_id, l.minor
        FROM billing.holds h
        CROSS JOIN LATERAL (VALUES
            (2030::smallint, h.account_id, h.promo_minor), (2000, h.account_id, h.amount_minor - h.promo_minor),
            (2010, h.account_id, -h.amount_minor)) AS l (account, owner_id, minor)
        UNION ALL
        SELECT h.id, v.transaction_id, l.account, l.owner_id, l.minor
        FROM billing.hold_resolutions v
        JOIN billing.holds h ON h.id = v.hold_id
        CROSS JOIN LATERAL (VALUES
            (2010::smallint, h.account_id, h.amount_minor), (4000, NULL, -v.captured_minor),
            (2000, h.account_id, v.released_promo_minor - v.released_minor),
            (2030, h.account_id, -v.released_promo_minor), (5000, NULL, v.share_minor),
            (2100, v.earner_id, v.reserve_minor - v.share_minor), (2110, v.earner_id, -v.reserve_minor)
            ) AS l (account, owner_id, minor)),
    booked AS (
        SELECT t.id AS transaction_id, t.source::uuid AS hold_id, e.account, e.owner_id, e.amount_minor AS minor
        FROM billing.transactions t
        JOIN billing.entries e ON e.transaction_id = t.id
        WHERE t.kind IN ('hold', 'resolve'))
    SELECT m.hold_id, m.transaction_id, a.name AS account, m.owner_id,
           sum(m.due_minor) AS due_minor, sum(m.booked_minor) AS booked_minor
    FROM (SELECT d.hold_id, d.transaction_id, d.account, d.owner_id, d.minor AS due_minor, 0 AS booked_minor
          FROM due d WHERE d.minor <> 0
          UNION ALL
          SELECT b.hold_id, b.transaction_id, b.account, b.owner_id, 0, b.minor FROM booked b) m
    JOIN billing.chart_of_accounts a ON a.code = m.account
    GROUP BY m.hold_id, m.transaction_id, a.name, m.owner_id
    HAVING sum(m.due_minor) <> sum(m.booked_minor)
"""

HOLDS_ARE_USED_UP = """
    SELECT v.hold_id, h.amount_minor, v.captured_minor, v.released_minor, v.reserve_minor, l.amount_minor AS lot_minor
    FROM billing.hold_resolutions v
    LEFT JOIN billing.holds h ON h.id = v.hold_id
    LEFT JOIN billing.reserve_lots l ON l.id = v.hold_id
    WHERE h.amount_minor IS DISTINCT FROM v.captured_minor + v.released_minor
       OR coalesce(l.amount_minor, 0) <> v.reserve_minor
"""

# What the platform pays an earner itself: its expense, owed to the earner, and nothing beside.
COMPENSATIONS_ARE_BOOKED = """
    SELECT t.id AS transaction_id, t.key, count(e.line) AS lines
    FROM billing.transactions t
    LEFT JOIN billing.entries e ON e.transaction_id = t.id
    WHERE t.kind = 'compensate'
    GROUP BY t.id, t.key
    HAVING count(e.line) <> 2
        OR count(*) FILTER (WHERE e.account = 5000 AND e.amount_minor > 0) <> 1
        OR count(*) FILTER (WHERE e.account = 2100 AND e.amount_minor < 0) <> 1
"""

# What a refund says, line for line, against what was booked; the lot that it ended is its own.
REFUNDS_ARE_BOOKED = """
    WITH due AS (
        SELECT f.transaction_id, l.account, l.owner_id, l.minor
        FROM billing.refunds f
        JOIN billing.holds h ON h.id = f.hold_id
        JOIN billing.hold_resolutions v ON v.hold_id = f.hold_id
        LEFT JOIN billing.lot_resolutions e ON e.transaction_id = f.transaction_id AND e.lot_id = f.hold_id
            AND e.clawed_back_minor = f.from_reserve_minor
        CROSS JOIN LATERAL (VALUES
            (4000::smallint, NULL, f.refunded_minor), (2000, h.account_id, f.promo_minor - f.refunded_minor),
            (2030, h.account_id, -f.promo_minor), (5000, NULL, -f.share_minor),
            (2110, v.earner_id, f.from_reserve_minor + coalesce(e.matured_minor, 0)),
            (2100, v.earner_id, f.from_payable_minor - coalesce(e.matured_minor, 0)), (1100, v.earner_id, f.owed_minor)
            ) AS l (account, owner_id, minor)),
    booked AS (
        SELECT t.id AS transaction_id, e.account, e.owner_id, e.amount_minor AS minor
        FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
        WHERE t.kind = 'refund')
    SELECT m.transaction_id, a.name AS account, m.owner_id, sum(m.due_minor) AS due_minor,
           sum(m.booked_minor) AS booked_minor
    FROM (SELECT d.transaction_id, d.account, d.owner_id, d.minor AS due_minor, 0 AS booked_minor FROM due d
          WHERE d.minor <> 0
          UNION ALL
          SELECT b.transaction_id, b.account, b.owner_id, 0, b.minor FROM booked b) m
    JOIN billing.chart_of_accounts a ON a.code = m.account
    GROUP BY m.transaction_id, a.name, m.owner_id
    HAVING sum(m.due_minor) <> sum(m.booked_minor)
"""

# No hold gives back more than it captured, no earner more than his share, and none keeps a share of nothing.
REFUNDS_ARE_COVERED = """
    SELECT v.hold_id, v.captured_minor, sum(f.refunded_minor) AS refunded_minor, v.share_minor,
           sum(f.share_minor) AS taken_minor
    FROM billing.refunds f
    LEFT JOIN billing.hold_resolutions v ON v.hold_id = f.hold_id
    GROUP BY v.hold_id, v.captured_minor, v.share_minor
    HAVING v.hold_id IS NULL OR sum(f.refunded_minor) > v.captured_minor OR sum(f.share_minor) > v.share_minor
        OR v.share_minor - sum(f.share_minor) > v.captured_minor - sum(f.refunded_minor)
"""

# A fee is the wallet's loss and the platform's income; one given back is the same turned round; what is netted moves
# between what is payable to an earner and what the same earner owes.
PAIRS_ARE_BOOKED = """
    SELECT t.id AS transaction_id, t.key, t.kind, count(e.line) AS lines
    FROM billing.transactions t
    LEFT JOIN billing.entries e ON e.transaction_id = t.id
    LEFT JOIN (VALUES ('fee', ARRAY[2000, 1110], 4100), ('fee_back', ARRAY[4100], 2000),
                      ('clawback', ARRAY[2100], 1100))
        AS p (kind, debits, credit) ON p.kind = t.kind
    LEFT JOIN billing.transactions o ON o.id = t.reverses
    WHERE t.kind IN ('fee', 'fee_back', 'clawback')
    GROUP BY t.id, t.key, t.kind, o.kind
    HAVING count(e.line) < 2 OR count(e.line) <> count(DISTINCT e.account)
        OR count(*) FILTER (WHERE e.account = ANY (p.debits) AND e.amount_minor > 0) <> count(e.line) - 1
        OR count(*) FILTER (WHERE e.account = p.credit AND e.amount_minor < 0) <> 1
        OR count(DISTINCT e.owner_id) <> 1
        OR (t.kind = 'fee_back') <> (o.kind IS NOT DISTINCT FROM 'fee')
"""

# The tables of balances built anew from the entries, whole rows against whole rows.
REBUILT_BALANCES = """
    WITH rebuilt AS (
        SELECT e.owner_id, e.currency,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2000), 0) AS available,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2010), 0) AS held,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2020), 0) AS frozen,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2030), 0) AS promo,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2100), 0) AS payable,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2110), 0) AS reserve,
               -coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 2120), 0) AS in_flight,
               coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 1100), 0) AS owed,
               coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 1110), 0) AS owing
        FROM billing.entries e
        WHERE e.owner_id IS NOT NULL
        GROUP BY e.owner_id, e.currency),
    live AS (
        SELECT account_id AS owner_id, currency, coalesce(w.available, 0)::numeric AS available,
               coalesce(w.held, 0)::numeric AS held, coalesce(w.frozen, 0)::numeric AS frozen,
               coalesce(w.promo, 0)::numeric AS promo, coalesce(r.payable, 0)::numeric AS payable,
               coalesce(r.reserve, 0)::numeric AS reserve, coalesce(r.in_flight, 0)::numeric AS in_flight,
               coalesce(r.owed, 0)::numeric AS owed, coalesce(w.drawn + w.owed, 0)::numeric AS owing
        FROM billing.wallets w
        FULL JOIN billing.earners r USING (account_id, currency))
    SELECT 'rebuilt' AS side, d.* FROM (SELECT * FROM rebuilt EXCEPT SELECT * FROM live) d
    WHERE (available, held, frozen, promo, payable, reserve, in_flight, owed, owing) <> (0, 0, 0, 0, 0, 0, 0, 0, 0)
    UNION ALL
    SELECT 'live', d.* FROM (SELECT * FROM live EXCEPT SELECT * FROM rebuilt) d
    WHERE (available, held, frozen, promo, payable, reserve, in_flight, owed, owing) <> (0, 0, 0, 0, 0, 0, 0, 0, 0)
    ORDER BY owner_id, currency, side
"""

CHECKS = (
    Check("I1", "every transaction sums to zero in its currency", ZERO_SUMS),
    Check("I2", "all balances sum to zero", BALANCES_SUM_TO_ZERO),
    Check("I3", "cached balances are the sums of their entries", CACHED_BALANCES),
    Check("I4", "guarded accounts are never negative", NEVER_NEGATIVE),
    Check("I5", "held money is the open holds", HELD_IS_OPEN_HOLDS),
    Check("I5", "reserved money is the open lots", RESERVE_IS_OPEN_LOTS),
    *PAYOUT_CHECKS,
    Check("I10", "a key is posted once or refused, never both", KEYS_ARE_DECIDED_ONCE),
    Check("I11", "a hold resolves once, by its own transaction", HOLDS_RESOLVE_ONCE),
    Check("I11", "a reserve lot resolves once and completely", LOTS_RESOLVE_ONCE),
    Check("I12", "holds and their ends are booked as they say", HOLDS_ARE_BOOKED),
    Check("I12", "a hold is captured and released completely", HOLDS_ARE_USED_UP),
    Check("I12", "a compensation is the platform's expense, owed to its earner", COMPENSATIONS_ARE_BOOKED),
    Check("I12", "refunds are booked as they say", REFUNDS_ARE_BOOKED),
    Check("I12", "no refund is above what was captured, or above its share", REFUNDS_ARE_COVERED),
    Check("I12", "fees and netted debts are booked between their two accounts", PAIRS_ARE_BOOKED),
    *CREDIT_CHECKS,
    *CARD_CHECKS,
    *BANK_CHECKS,
    *DOCUMENT_CHECKS,
    Check("I14", "balances rebuilt from entries are the live ones", REBUILT_BALANCES),
)

# I9: what is owed to outsiders against what there is to pay it with; promotional credit is owed to nobody,
# and so is the promotional part of open holds. Positive is good.
SOLVENCY = """
    SELECT f.currency, sum(f.minor) AS solvency_minor
    FROM (SELECT e.currency, e.amount_minor AS minor FROM billing.entries e
          WHERE e.account IN (1000, 1010, 1020, 1030, 1050, 1110, 1120, 2000, 2010, 2020, 2100, 2110, 2120, 2200, 2210)
          UNION ALL
          SELECT h.currency, h.promo_minor FROM billing.holds h
          WHERE NOT EXISTS (SELECT FROM billing.hold_resolutions v WHERE v.hold_id = h.id)) f
    GROUP BY f.currency
    ORDER BY f.currency
"""

# Places with parts, such as income by kind, have a line a part.
TRIAL_BALANCE = """
    SELECT e.currency, e.account::integer, c.name || coalesce(':' || e.sub_account, '') AS name, c.side,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0), 0)::bigint AS debit_minor,
           coalesce(-sum(e.amount_minor) FILTER (WHERE e.amount_minor < 0), 0)::bigint AS credit_minor
    FROM billing.entries e JOIN billing.chart_of_accounts c ON c.code = e.account
    GROUP BY e.currency, e.account, e.sub_account, c.name, c.side
    ORDER BY e.currency, e.account, e.sub_account
"""
