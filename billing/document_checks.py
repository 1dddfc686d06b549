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

# Each line of an invoice or statement says what its transaction moved, in the document's currency and of its account.
MONTHS_AS_BOOKED = """
    SELECT d.kind, d.year, d.number, l.line, l.amount_minor, b.amount_minor AS booked_minor, l.payable_minor,
           b.payable_minor AS booked_payable_minor, t.key
    FROM billing.document_lines l
    JOIN billing.documents d ON d.id = l.document_id
    JOIN billing.transactions t ON t.id = l.transaction_id
    CROSS JOIN LATERAL billing.line_of(l.side, t, l.account_id) b
    WHERE (l.amount_minor, l.promo_minor, l.payable_minor, l.reserve_minor, l.owed_minor)
          IS DISTINCT FROM (b.amount_minor, b.promo_minor, b.payable_minor, b.reserve_minor, b.owed_minor)
       OR (d.kind, d.account_id, d.currency) IS DISTINCT FROM (l.side, l.account_id, t.currency)
"""

MONTHS_ADD_UP = """
    SELECT d.kind, d.year, d.number, d.amount_minor, sum(l.amount_minor - l.promo_minor) AS lines_minor,
           count(l.line) AS lines
    FROM billing.documents d LEFT JOIN billing.document_lines l ON l.document_id = d.id
    WHERE d.period IS NOT NULL
    GROUP BY d.id
    HAVING d.amount_minor IS DISTINCT FROM sum(l.amount_minor - l.promo_minor)
        OR count(l.line) IS DISTINCT FROM (d.content ->> 'lines')::bigint OR count(l.line) <> max(l.line)
"""

# The tax that a document says is booked for it under its id, and no other.
VAT_AS_BOOKED = r"""
    SELECT d.id AS document_id, d.kind, (d.content #>> '{vat,minor}')::bigint AS said_minor, t.key,
           e.amount_minor AS booked_minor
    FROM (SELECT d.* FROM billing.documents d WHERE d.period IS NOT NULL) d
    FULL JOIN (SELECT t.* FROM billing.transactions t WHERE t.kind IN ('vat_invoice', 'vat_statement')) t
        ON t.key = 'vat\:' || d.id AND t.id = d.transaction_id
    LEFT JOIN billing.entries e ON e.transaction_id = t.id AND e.account IN (1120, 2210)
    WHERE coalesce(CASE d.kind WHEN 'invoice' THEN -1 ELSE 1 END * (d.content #>> '{vat,minor}')::bigint, 0)
          <> coalesce(e.amount_minor, 0)
"""

# Where a document is taxed in several ways, their parts are its net and its tax.
VAT_PARTS_ADD_UP = """
    SELECT d.id AS document_id, d.amount_minor, p.net_minor, (d.content #>> '{vat,minor}')::bigint AS said_minor,
           p.minor
    FROM billing.documents d
    CROSS JOIN LATERAL (SELECT sum((one ->> 'net_minor')::bigint) AS net_minor, sum((one ->> 'minor')::bigint) AS minor
                        FROM jsonb_array_elements(d.content #> '{vat,parts}') one) p
    WHERE d.period IS NOT NULL AND jsonb_array_length(coalesce(d.content #> '{vat,parts}', '[]')) > 0
      AND (d.amount_minor, (d.content #>> '{vat,minor}')::bigint) IS DISTINCT FROM (p.net_minor, p.minor)
"""

# What was posted before a month was looked at, and occurred in it or earlier, stands on a document of its side.
MONTHS_ARE_WHOLE = """
    SELECT m.side, m.account_id, m.currency, m.period, t.id AS transaction_id, t.key
    FROM billing.document_months m
    CROSS JOIN LATERAL billing.transactions_for(m.side, m.account_id, m.currency,
                                                '00000000-0000-0000-0000-000000000000') t
    WHERE t.occurred_at < (m.period + interval '1 month') AT TIME ZONE 'UTC' AND t.id < m.from_id
      AND NOT EXISTS (SELECT FROM billing.document_months n
                      WHERE (n.side, n.account_id, n.currency) = (m.side, m.account_id, m.currency)
                        AND n.period > m.period)
      AND NOT EXISTS (SELECT FROM billing.document_lines l
                      WHERE (l.side, l.account_id, l.transaction_id) = (m.side, m.account_id, t.id))
"""

DOCUMENT_CHECKS = (
    Check("I12", "what occurred in a month that was looked at stands on a document", MONTHS_ARE_WHOLE),
    Check("I12", "each line of an invoice or statement is what its transaction moved", MONTHS_AS_BOOKED),
    Check("I12", "invoices and statements are the sum of their lines", MONTHS_ADD_UP),
    Check("I12", "the tax on invoices and statements is booked as they say", VAT_AS_BOOKED),
    Check("I12", "the parts of a document's tax are its net and its tax", VAT_PARTS_ADD_UP),
    Check("I12", "documents of a kind and year are numbered from 1 without gaps", GAPLESS),
    Check("I12", "what came by card or bank or was sent back has its document, of the same amount", AS_BOOKED),
    Check("I12", "promotional credit that was agreed to is in the books, and nothing else", GRANTS),
)
