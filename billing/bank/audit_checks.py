"""The questions of the audit about money by bank transfer and about suspense."""

from billing.check import Check

# Each entry of a statement has one transaction, which moves the bank by its amount; nothing else of this room does but
# what was sent back by a word of an operator.
ENTRIES_ARE_BOOKED = r"""
    SELECT b.id AS entry_id, b.amount_minor, m.id AS transaction_id, m.minor AS booked_minor, m.kind
    FROM billing.bank_entries b
    FULL JOIN (SELECT t.id, t.key, t.kind, sum(e.amount_minor) FILTER (WHERE e.account = 1030) AS minor,
                      min(e.owner_id::text)::uuid AS owner_id
               FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
               WHERE t.kind IN ('bank_credit', 'bank_suspense', 'bank_return', 'bank_payout')
               GROUP BY t.id, t.key, t.kind) m
        ON m.key = 'bank\:' || b.id
    LEFT JOIN billing.pro_formas p ON p.id = b.pro_forma_id
    WHERE b.id IS NULL OR m.id IS NULL OR b.amount_minor <> coalesce(m.minor, 0)
        OR m.kind <> CASE b.outcome WHEN 'credited' THEN 'bank_credit' WHEN 'settled' THEN 'bank_return'
                     WHEN 'payout' THEN 'bank_payout' ELSE 'bank_suspense' END
        OR m.owner_id IS DISTINCT FROM p.account_id
"""

# What a statement whose balances tell both ends moved is the sum of its lines, and of a finished import none waits.
STATEMENTS_ARE_LINES = """
    SELECT s.import_id, s.number, s.closing_minor - s.opening_minor AS told_minor, l.minor AS lines_minor, l.waiting
    FROM billing.bank_statements s
    JOIN billing.bank_imports i ON i.id = s.import_id AND i.state = 'done'
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.amount_minor), 0) AS minor, count(*) FILTER (WHERE l.outcome = 'waits') AS waiting
        FROM billing.bank_lines l
        WHERE l.import_id = s.import_id AND l.statement = s.number AND l.outcome <> 'skipped') l
    WHERE l.waiting > 0 OR (s.is_proven AND s.closing_minor - s.opening_minor <> l.minor)
"""

PRO_FORMAS_GOT_WHAT_CAME = """
    SELECT p.id AS pro_forma_id, p.received_minor, sum(b.amount_minor) AS came_minor
    FROM billing.pro_formas p LEFT JOIN billing.bank_entries b ON b.pro_forma_id = p.id
    GROUP BY p.id, p.received_minor HAVING p.received_minor <> coalesce(sum(b.amount_minor), 0)
"""

SUSPENSE_IS_MOVED_ONCE = """
    SELECT s.transaction_id, s.amount_minor, s.left_minor, e.minor AS booked_minor, m.minor AS moved_minor
    FROM billing.suspense_items s
    LEFT JOIN LATERAL (SELECT -sum(e.amount_minor) AS minor FROM billing.entries e
                       WHERE e.transaction_id = s.transaction_id AND e.account = 2900) e ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(CASE WHEN m.transaction_id = s.transaction_id THEN m.amount_minor ELSE -m.amount_minor END),
                        0) AS minor
        FROM billing.suspense_moves m
        WHERE (m.transaction_id = s.transaction_id OR m.against_id = s.transaction_id) AND m.state <> 'withdrawn') m
    WHERE s.amount_minor IS DISTINCT FROM e.minor OR s.amount_minor - s.left_minor <> m.minor
"""

# What was moved is posted as it says: by its own transaction, by the entry that settled it, or by nothing when it was
# set against another amount in suspense.
MOVES_ARE_BOOKED = r"""
    WITH posted AS (
        SELECT t.id, t.key, t.kind, e.amount_minor AS minor,
               (SELECT min(o.owner_id::text)::uuid FROM billing.entries o
                WHERE o.transaction_id = t.id AND o.account IN (1110, 2000)) AS owner_id
        FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 2900
        WHERE t.kind IN ('suspense_assign', 'suspense_fees', 'suspense_fx', 'suspense_return', 'suspense_charge',
                         'suspense_payouts'))
    SELECT m.id AS move_id, m.state, m.amount_minor, p.id AS transaction_id, p.minor AS booked_minor
    FROM billing.suspense_moves m FULL JOIN posted p ON p.key = 'suspense\:' || m.id
    LEFT JOIN billing.bank_entries b ON b.id = m.entry_id
    WHERE m.id IS NULL
        OR (p.id IS NOT NULL) <> (m.state = 'done' AND m.entry_id IS NULL AND m.against_id IS NULL)
        OR (p.id IS NOT NULL AND (p.minor, p.kind, p.owner_id)
            IS DISTINCT FROM (m.amount_minor, 'suspense_' || m.kind, m.account_id))
        OR (b.id IS NOT NULL AND (b.amount_minor <> -m.amount_minor OR b.outcome <> 'settled'))
"""

# Suspense is what came into it less what was moved out of it: no other kind of posting touches it.
SUSPENSE_IS_NOBODY_ELSES = """
    SELECT t.id AS transaction_id, t.key, t.kind, e.amount_minor
    FROM billing.entries e JOIN billing.transactions t ON t.id = e.transaction_id
    WHERE e.account = 2900 AND t.kind NOT IN ('bank_suspense', 'bank_return', 'suspense', 'top_up', 'suspense_assign',
                                              'suspense_fees', 'suspense_fx', 'suspense_return', 'suspense_charge',
                                              'suspense_payouts')
"""

# What a bank told of in one amount is booked in one, or in the parts of one telling that come to no more than it.
WHOLES_ARE_BOOKED_ONCE = """
    SELECT p.whole, p.iban, p.minor AS parts_minor, p.whole_minor, e.id AS unsplit_id, p.imports
    FROM (SELECT iban, currency, whole, max(whole_minor) AS whole_minor, sum(amount_minor) AS minor,
                 count(DISTINCT import_id) AS imports
          FROM billing.bank_entries WHERE whole <> '' GROUP BY iban, currency, whole) p
    LEFT JOIN billing.bank_entries e ON e.iban = p.iban AND e.currency = p.currency AND e.identity = p.whole
    WHERE e.id IS NOT NULL OR p.imports > 1
"""

# What a statement shows of a payout is its amount, and of a payout by file that was told to be paid.
PAYOUTS_ARE_TOLD = """
    SELECT b.id AS entry_id, b.payout_id, b.amount_minor, p.amount_minor AS payout_minor, p.state
    FROM billing.bank_entries b JOIN billing.payouts p ON p.id = b.payout_id
    WHERE abs(b.amount_minor) <> p.amount_minor OR b.currency <> p.currency OR p.file_id IS NULL
        OR p.state NOT IN ('paid', 'failed') OR (b.amount_minor > 0 AND p.state <> 'failed')
"""

BANK_CHECKS = (
    Check("I10", "what a statement shows of a payout is that payout, once", PAYOUTS_ARE_TOLD),
    Check("I10", "each entry of a bank statement is booked by one transaction, to whom its reference names",
          ENTRIES_ARE_BOOKED),
    Check("I10", "what a bank told of in one amount is not booked whole and in parts", WHOLES_ARE_BOOKED_ONCE),
    Check("I12", "a statement's balances are explained by its lines, and none of them waits", STATEMENTS_ARE_LINES),
    Check("I12", "a pro-forma got what came under its reference", PRO_FORMAS_GOT_WHAT_CAME),
    Check("I5", "what is left of suspense is what nobody has moved", SUSPENSE_IS_MOVED_ONCE),
    Check("I10", "what was moved out of suspense is booked as it says", MOVES_ARE_BOOKED),
    Check("I10", "nothing else touches suspense", SUSPENSE_IS_NOBODY_ELSES),
)  # fmt: skip
