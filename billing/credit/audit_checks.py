"""The questions of the audit about credit: what wallets owe, what they drew, and what they paid of it."""

from billing.check import Check

# What the wallet's row says that it drew and owes, against its debts less their payments.
OWED_IS_OPEN_DEBTS = """
    SELECT account_id, currency, w.drawn AS drawn_minor, d.drawn AS open_draws_minor, w.owed AS owed_minor,
           d.owed AS open_charges_minor
    FROM billing.wallets w
    FULL JOIN (
        SELECT d.account_id, d.currency,
               coalesce(sum(d.amount_minor - d.paid_minor) FILTER (WHERE d.kind = 'draw'), 0) AS drawn,
               coalesce(sum(d.amount_minor - d.paid_minor) FILTER (WHERE d.kind = 'charge'), 0) AS owed
        FROM billing.debts d GROUP BY d.account_id, d.currency) d USING (account_id, currency)
    WHERE (coalesce(w.drawn, 0), coalesce(w.owed, 0)) <> (coalesce(d.drawn, 0), coalesce(d.owed, 0))
"""

# What each debt says, against what was booked to recv:wallet in its name.
DEBTS_ARE_BOOKED = """
    WITH said AS (
        SELECT r.transaction_id, r.hold_id::text AS source, d.account_id, d.currency, r.amount_minor AS minor
        FROM billing.draws r JOIN billing.debts d ON d.id = r.debt_id AND d.kind = 'draw'
        UNION ALL
        SELECT p.transaction_id, p.debt_id::text, d.account_id, d.currency, -p.amount_minor
        FROM billing.debt_payments p JOIN billing.debts d ON d.id = p.debt_id
        UNION ALL
        SELECT d.id, NULL, d.account_id, d.currency, d.amount_minor FROM billing.debts d WHERE d.kind = 'charge'),
    booked AS (
        SELECT e.transaction_id, t.kind, t.source, e.owner_id, e.currency, sum(e.amount_minor) AS minor
        FROM billing.entries e JOIN billing.transactions t ON t.id = e.transaction_id
        WHERE e.account = 1110 GROUP BY e.transaction_id, t.kind, t.source, e.owner_id, e.currency)
    SELECT transaction_id, b.kind, s.minor AS said_minor, b.minor AS booked_minor
    FROM said s FULL JOIN booked b USING (transaction_id)
    WHERE (s.account_id, s.currency, s.minor) IS DISTINCT FROM (b.owner_id, b.currency, b.minor)
       OR b.source <> s.source
"""

DEBTS_ADD_UP = """
    SELECT d.id AS debt_id, d.amount_minor, r.minor AS drawn_minor, d.paid_minor, p.minor AS payments_minor,
           d.payments, p.count AS payments_found
    FROM billing.debts d
    LEFT JOIN (SELECT r.debt_id, sum(r.amount_minor) AS minor FROM billing.draws r GROUP BY r.debt_id) r
        ON r.debt_id = d.id
    LEFT JOIN (SELECT p.debt_id, sum(p.amount_minor) AS minor, count(*) AS count, max(p.number) AS last
               FROM billing.debt_payments p GROUP BY p.debt_id) p ON p.debt_id = d.id
    WHERE (d.paid_minor, d.payments, d.payments)
            IS DISTINCT FROM (coalesce(p.minor, 0), coalesce(p.count, 0), coalesce(p.last, 0))
       OR EXISTS (SELECT FROM billing.draws o
                  WHERE o.debt_id = d.id AND (o.account_id, o.currency) <> (d.account_id, d.currency))
       OR EXISTS (SELECT FROM billing.debt_payments o
                  WHERE o.debt_id = d.id AND (o.account_id, o.currency) <> (d.account_id, d.currency))
       OR d.amount_minor <> CASE d.kind WHEN 'draw' THEN coalesce(r.minor, 0) ELSE d.amount_minor END
       OR d.paid_minor > d.amount_minor
"""

# A hold is never paid from credit beyond what it took from the wallet itself.
DRAWS_ARE_OF_HOLDS = """
    SELECT r.hold_id, r.amount_minor AS drawn_minor, h.amount_minor AS held_minor, h.promo_minor
    FROM billing.draws r LEFT JOIN billing.holds h ON h.id = r.hold_id
    WHERE h.id IS NULL OR r.amount_minor > h.amount_minor - h.promo_minor
"""

LINES_ARE_THE_NEWEST = """
    SELECT w.account_id, w.currency, w.credit_limit, c.limit_minor, w.credit_days, c.days
    FROM billing.wallets w
    LEFT JOIN LATERAL (SELECT c.limit_minor, c.days FROM billing.credit_lines c
                       WHERE c.account_id = w.account_id AND c.currency = w.currency
                       ORDER BY c.version DESC LIMIT 1) c ON true
    WHERE (w.credit_limit, w.credit_days) <> (coalesce(c.limit_minor, 0), coalesce(c.days, 0))
"""

# No credit is given on what chargebacks may still take.
STAKES_ARE_OPEN_CHARGEBACKS = """
    SELECT account_id, currency, w.at_stake, c.minor AS open_minor
    FROM billing.wallets w
    FULL JOIN (SELECT c.account_id, c.currency, sum(c.amount_minor - c.frozen_minor) AS minor FROM billing.chargebacks c
               WHERE c.state IN ('announced', 'withdrawn') GROUP BY c.account_id, c.currency) c
        USING (account_id, currency)
    WHERE coalesce(w.at_stake, 0) <> coalesce(c.minor, 0)
"""

CREDIT_CHECKS = (
    Check("I3", "what a wallet has at stake is what its open chargebacks may take", STAKES_ARE_OPEN_CHARGEBACKS),
    Check("I3", "what a wallet drew and owes is its open debts", OWED_IS_OPEN_DEBTS),
    Check("I3", "a wallet's limit is that of its newest line", LINES_ARE_THE_NEWEST),
    Check("I12", "debts are booked as they say, each draw, charge and payment once", DEBTS_ARE_BOOKED),
    Check("I12", "a debt is its draws, and paid by its payments, never beyond", DEBTS_ADD_UP),
    Check("I12", "each draw is part of its hold", DRAWS_ARE_OF_HOLDS),
)
