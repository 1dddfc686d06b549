"""The questions of the audit about documents: numbers without gaps, and each payment with its paper."""

from billing.check import Check

GAPLESS = """
    SELECT d.kind, d.year, c.last, count(d.number) AS given, max(d.number) AS highest, count(*) AS documents
    FROM billing.documents d FULL JOIN billing.document_counters c ON c.kind = d.kind AND c.year = d.year
    GROUP BY d.kind, d.year, c.last
    HAVING (count(d.id), count(d.number), max(d.number)) IS DISTINCT FROM (c.last, c.last, c.last)
"""

# A payment into a wallet and an order out of it each have their document, about just what they moved. Credit by hand is
# no payment, and has none.
AS_BOOKED = """
    SELECT coalesce(d.transaction_id, b.id) AS transaction_id, b.kind, d.amount_minor, b.minor AS booked_minor
    FROM billing.documents d
    FULL JOIN (SELECT t.id, t.kind, e.owner_id, e.currency, abs(sum(e.amount_minor)) AS minor
               FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
                   AND (e.account = 2000 OR e.account = 1110 AND t.kind = 'suspense_charge')
               WHERE t.kind IN ('top_up', 'bank_credit', 'suspense_assign', 'suspense_charge', 'give_back',
                                'give_back_failed')
               GROUP BY t.id, t.kind, e.owner_id, e.currency) b ON b.id = d.transaction_id
    WHERE b.kind <> 'give_back_failed' AND d.id IS NULL
       OR b.id IS NOT NULL AND d.id IS NOT NULL
          AND (d.account_id, d.currency, d.amount_minor) IS DISTINCT FROM (b.owner_id, b.currency, b.minor)
"""

GRANTS = r"""
    SELECT g.id AS grant_id, g.state, g.amount_minor, e.owner_id, -e.amount_minor AS booked_minor
    FROM billing.promo_grants g
    LEFT JOIN billing.transactions t ON t.key = 'promo\:grant\:' || g.id
    LEFT JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 2030
    WHERE (g.state = 'granted') <> (t.id IS NOT NULL)
       OR t.id IS NOT NULL AND (e.owner_id, e.currency, -e.amount_minor)
          IS DISTINCT FROM (g.account_id, g.currency, g.amount_minor)
"""

DOCUMENT_CHECKS = (
    Check("I12", "documents of a kind and year are numbered from 1 without gaps", GAPLESS),
    Check("I12", "what came by card or bank or was sent back has its document, of the same amount", AS_BOOKED),
    Check("I12", "promotional credit that was agreed to is in the books, and nothing else", GRANTS),
)
