"""The questions of the audit about money by card: payments, movements of our balance, money going back, chargebacks."""

from billing.check import Check

# Each movement at the processor has one transaction, which moves our balance there by its net; nothing else does.
MOVEMENTS_ARE_BOOKED = """
    SELECT b.id AS balance_transaction, b.net_minor, m.transaction_id, m.minor AS booked_minor
    FROM (SELECT * FROM billing.balance_transactions WHERE transaction_id IS NOT NULL) b
    FULL JOIN (SELECT e.transaction_id, sum(e.amount_minor) AS minor FROM billing.entries e
               WHERE e.account = 1010 GROUP BY e.transaction_id) m ON m.transaction_id = b.transaction_id
    WHERE coalesce(b.net_minor, 0) <> coalesce(m.minor, 0)
"""

# A payment is booked once, to the wallet that asked for it when it is what was asked for.
PAYMENTS_ARE_BOOKED = r"""
    WITH booked AS (
        SELECT t.id, t.key, t.source::uuid AS top_up_id,
               -sum(e.amount_minor) FILTER (WHERE e.account = 2000) AS wallet_minor,
               min(e.owner_id::text)::uuid AS owner_id,
               -sum(e.amount_minor) FILTER (WHERE e.account = 2900) AS aside_minor
        FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
        WHERE t.kind = 'top_up' GROUP BY t.id, t.key, t.source),
    due AS (SELECT * FROM billing.top_ups WHERE state IN ('paid', 'set_aside'))
    SELECT d.id AS top_up_id, d.state, d.amount_minor, b.key, b.wallet_minor, b.aside_minor
    FROM due d FULL JOIN booked b ON b.top_up_id = d.id
    WHERE d.id IS NULL OR b.id IS NULL OR b.key <> 'pi\:' || d.payment_id
        OR CASE d.state WHEN 'paid' THEN (b.wallet_minor, b.owner_id) IS DISTINCT FROM (d.amount_minor, d.account_id)
           ELSE b.wallet_minor IS NOT NULL OR b.aside_minor IS NULL END
"""

# What is on its way back: what was ordered, less what came back, less what has left our balance.
GOING_BACK_IS_ORDERED = """
    SELECT currency, booked.minor AS booked_minor, due.minor AS due_minor
    FROM (SELECT e.currency, -sum(e.amount_minor) AS minor FROM billing.entries e WHERE e.account = 2200
          GROUP BY e.currency) booked
    FULL JOIN (
        SELECT d.currency, sum(d.minor) AS minor
        FROM (SELECT g.currency, g.amount_minor AS minor FROM billing.give_backs g
              UNION ALL
              SELECT g.currency, -p.amount_minor FROM billing.give_back_parts p
              JOIN billing.give_backs g ON g.id = p.give_back_id WHERE p.state = 'failed'
              UNION ALL
              SELECT b.currency, b.amount_minor FROM billing.balance_transactions b
              WHERE b.booked_as = 'card_refund') d
        GROUP BY d.currency) due USING (currency)
    WHERE coalesce(booked.minor, 0) <> coalesce(due.minor, 0)
"""

PARTS_ADD_UP = """
    SELECT g.id AS give_back_id, g.amount_minor, sum(p.amount_minor) AS parts_minor
    FROM billing.give_backs g LEFT JOIN billing.give_back_parts p ON p.give_back_id = g.id
    GROUP BY g.id, g.amount_minor
    HAVING g.amount_minor IS DISTINCT FROM sum(p.amount_minor)
    UNION ALL
    SELECT u.id, u.amount_minor, sum(p.amount_minor)
    FROM billing.top_ups u JOIN billing.give_back_parts p ON p.top_up_id = u.id AND p.state <> 'failed'
    GROUP BY u.id, u.amount_minor
    HAVING sum(p.amount_minor) > u.amount_minor
"""

FROZEN_IS_CHARGED_BACK = """
    SELECT account_id, currency, w.frozen AS frozen_minor, c.minor AS charged_back_minor
    FROM billing.wallets w
    FULL JOIN (SELECT c.account_id, c.currency, sum(c.frozen_minor) AS minor FROM billing.chargebacks c
               WHERE c.state = 'withdrawn' GROUP BY c.account_id, c.currency) c USING (account_id, currency)
    WHERE coalesce(w.frozen, 0) <> coalesce(c.minor, 0)
"""

# What the bank keeps until it has decided.
CHARGED_BACK_IS_OPEN = """
    SELECT currency, booked.minor AS booked_minor, due.minor AS due_minor
    FROM (SELECT e.currency, sum(e.amount_minor) AS minor FROM billing.entries e WHERE e.account = 1040
          GROUP BY e.currency) booked
    FULL JOIN (SELECT c.currency, sum(c.amount_minor) AS minor FROM billing.chargebacks c
               WHERE c.state = 'withdrawn' GROUP BY c.currency) due USING (currency)
    WHERE coalesce(booked.minor, 0) <> coalesce(due.minor, 0)
"""

CARD_CHECKS = (
    Check("I10", "each movement of the balance at Stripe is booked by one transaction", MOVEMENTS_ARE_BOOKED),
    Check("I10", "each card payment is booked once, to the wallet that asked for it", PAYMENTS_ARE_BOOKED),
    Check("I5", "money going back is what was ordered and has neither left nor come back", GOING_BACK_IS_ORDERED),
    Check("I12", "the parts of a refund are the whole, and none exceeds its payment", PARTS_ADD_UP),
    Check("I5", "frozen money is the open chargebacks", FROZEN_IS_CHARGED_BACK),
    Check("I5", "charged back money is the open chargebacks", CHARGED_BACK_IS_OPEN),
)

# I7: for how many hours the oldest card payment has waited for its movement, by currency.
CLEARING_AGE = """
    SELECT u.currency, max(extract(epoch FROM now() - u.ended_at) / 3600)::bigint AS hours
    FROM billing.top_ups u
    WHERE u.state IN ('paid', 'set_aside')
      AND NOT EXISTS (SELECT FROM billing.balance_transactions b WHERE b.about_id = u.payment_id)
    GROUP BY u.currency ORDER BY u.currency
"""

# I8, as it was when the balance was last read.
STRIPE_DIFFERENCE = "SELECT b.currency, b.difference_minor AS minor FROM billing.card_balances b ORDER BY b.currency"
