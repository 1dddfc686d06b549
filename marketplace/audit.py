"""The market's part of the audit: its sales, counters and leads say the same as the books of billing."""

from billing import CHECKS, AuditReport, Check, Executes, audit

SALES_AND_HOLDS = """
    SELECT coalesce(s.id, h.hold_id) AS sale_id, s.state, s.price_minor, s.credited_minor, s.payout_minor,
           h.amount_minor, h.captured_minor, h.released_minor, h.share_minor
    FROM marketplace.sales s
    FULL JOIN (SELECT e.hold_id, e.account_id, e.currency, e.amount_minor,
                      CASE WHEN e.share_minor > coalesce(f.share_minor, 0) THEN e.earner_id END AS earner_id,
                      e.captured_minor - coalesce(f.refunded_minor, 0) AS captured_minor,
                      e.released_minor + coalesce(f.refunded_minor, 0) AS released_minor,
                      e.share_minor - coalesce(f.share_minor, 0) AS share_minor
               FROM billing.ends_of_holds() e LEFT JOIN billing.refunds_of_holds() f ON f.hold_id = e.hold_id
               WHERE e.kind = 'cpl') h ON h.hold_id = s.id
    WHERE (s.buyer_id, s.currency, s.price_minor) IS DISTINCT FROM (h.account_id, h.currency, h.amount_minor)
       OR CASE s.state
            WHEN 'settled' THEN (h.captured_minor, h.released_minor, h.share_minor, h.earner_id)
                 IS DISTINCT FROM (s.price_minor - s.credited_minor, s.credited_minor, s.payout_minor,
                                   CASE WHEN s.payout_minor > 0 THEN s.publisher_id END)
            WHEN 'returned' THEN (h.captured_minor, h.released_minor, h.share_minor)
                 IS DISTINCT FROM (0, s.price_minor, 0)
            WHEN 'refused' THEN (h.captured_minor, h.released_minor) IS DISTINCT FROM (0, s.price_minor)
            WHEN 'failed' THEN (h.captured_minor, h.released_minor) IS DISTINCT FROM (0, s.price_minor)
            ELSE h.captured_minor IS NOT NULL END
"""
COUNTERS = """
    SELECT c.order_id, c.total_leads, c.total_spend, s.leads, s.spend
    FROM marketplace.order_counters c
    FULL JOIN (SELECT order_id, count(*) AS leads, sum(price_minor) AS spend FROM marketplace.sales
               WHERE state NOT IN ('refused', 'failed') GROUP BY order_id) s
        ON s.order_id = c.order_id
    WHERE (coalesce(c.total_leads, -1), coalesce(c.total_spend, -1))
        IS DISTINCT FROM (coalesce(s.leads, 0), coalesce(s.spend, 0))
"""
CEILINGS = """
    SELECT c.order_id, c.leads_ceiling, c.spend_ceiling
    FROM marketplace.order_counters c
    WHERE (c.leads_ceiling, c.spend_ceiling) IS DISTINCT FROM
          (marketplace.ceiling(c.caps, c.leads_before), marketplace.ceiling(c.budgets, c.spend_before))
"""
BUYERS = """
    SELECT b.buyer_id, b.total_leads, b.total_spend, s.leads, s.spend
    FROM marketplace.buyer_counters b,
    LATERAL (SELECT count(*) AS leads, coalesce(sum(price_minor) FILTER (WHERE s.currency = b.currency), 0) AS spend
             FROM marketplace.sales s
             WHERE s.buyer_id = b.buyer_id AND s.state NOT IN ('refused', 'failed')) AS s
    WHERE b.timezone IS NOT NULL
      AND ((b.total_leads, b.total_spend) IS DISTINCT FROM (s.leads, s.spend)
        OR (b.leads_ceiling, b.spend_ceiling) IS DISTINCT FROM
           (marketplace.ceiling(b.caps, b.leads_before), marketplace.ceiling(b.budgets, b.spend_before)))
"""
SHARES = """
    SELECT s.lead_id, count(*) AS buyers, min((v.terms ->> 'max_share')::integer) AS allowed
    FROM marketplace.sales s
    LEFT JOIN marketplace.order_versions v ON v.order_id = s.order_id AND v.version = s.order_version
    WHERE s.state NOT IN ('refused', 'failed')
      AND NOT EXISTS (SELECT FROM marketplace.further_sales f WHERE f.sale_id = s.id AND f.resale > 0)
    GROUP BY s.lead_id
    HAVING count(*) > min((v.terms ->> 'max_share')::integer) OR count(v.order_id) < count(*)
"""
PRICES = """
    SELECT s.id AS sale_id, s.price_minor, v.terms ->> 'price_minor' AS ordered
    FROM marketplace.sales s
    LEFT JOIN marketplace.order_versions v ON v.order_id = s.order_id AND v.version = s.order_version
    LEFT JOIN marketplace.further_sales f ON f.sale_id = s.id
    LEFT JOIN marketplace.further_offers x ON x.id = f.offer_id
    WHERE NOT EXISTS (SELECT FROM marketplace.prices_of(v.terms) AS p
                      WHERE coalesce(f.bid_minor, s.price_minor) BETWEEN p.lowest AND p.highest)
       OR s.price_minor <> least(CASE WHEN f.falls THEN f.bid_minor * x.bp / 10000 ELSE f.bid_minor END,
                                 x.ceiling_minor)
"""
# A lead that somebody has bought is sold again by its consent alone, and to no more than that lets have it.
RESALES = """
    SELECT f.sale_id, f.lead_id, f.resale, x.kind
    FROM marketplace.further_sales f
    LEFT JOIN marketplace.further_offers x ON x.id = f.offer_id
    LEFT JOIN marketplace.leads l ON l.id = f.lead_id
    LEFT JOIN marketplace.sales s ON s.id = f.sale_id
    WHERE s.lead_id IS DISTINCT FROM f.lead_id OR s.sold_at <> x.at OR x.decision ->> 'outcome' <> 'sold'
       OR (f.resale > 0) <> (x.kind IN ('resale', 'returned'))
       OR f.resale > 0 AND NOT l.details @> '{"consent": {"resale": true}}'
       OR (SELECT count(*) FROM marketplace.sales b
           WHERE b.lead_id = f.lead_id AND b.state NOT IN ('refused', 'failed'))
          > (l.details #>> '{consent,most_recipients}')::integer
"""
# Where nothing was credited: what a dispute leaves of a sale is proved against its hold.
TERMS = """
    SELECT s.id AS sale_id, s.terms_version, s.payout_minor, s.reserve_minor, s.reserve_days
    FROM marketplace.sales s
    LEFT JOIN affiliates.said_terms() t ON t.account_id = s.publisher_id AND t.version = s.terms_version
    WHERE t.version IS NULL OR s.reserve_days <> t.reserve_days
       OR s.credited_minor = 0 AND s.payout_minor
          <> marketplace.paid(s.price_minor, t.share_bp, t.min_margin_minor, s.bands)
       OR s.credited_minor = 0 AND s.reserve_minor <> s.payout_minor * t.reserve_bp / 10000
"""
STATUSES = """
    SELECT l.id AS lead_id, l.status, l.test, count(s.id) AS sales
    FROM marketplace.leads l
    LEFT JOIN marketplace.sales s ON s.lead_id = l.id AND s.state NOT IN ('refused', 'failed')
    GROUP BY l.id
    HAVING (l.test AND count(s.id) > 0) OR (l.status = 'pending' AND count(s.id) FILTER (WHERE s.state <> 'held') > 0)
        OR (l.status IN ('sold', 'pending')) <> (count(s.id) > 0) AND NOT EXISTS (
        SELECT FROM marketplace.deliveries d WHERE d.lead_id = l.id AND d.ended_at IS NOT NULL
            AND d.state <> 'accepted' AND NOT d.passed_on)
"""
TWINS = """
    SELECT k.vertical_id, k.lead_id
    FROM marketplace.person_keys k LEFT JOIN marketplace.leads l ON l.id = k.lead_id
    WHERE l.status IS NULL OR l.status NOT IN ('sold', 'pending')
"""
DISPUTES = """
    SELECT d.id AS dispute_id, d.state, d.credited_minor, s.id AS sale_id, s.state AS sale_state
    FROM marketplace.disputes d JOIN marketplace.sales s ON s.id = d.sale_id
    WHERE CASE WHEN d.state IN ('partial', 'repriced') OR s.state = 'settled' THEN d.credited_minor <> s.credited_minor
               WHEN s.state = 'returned' THEN d.credited_minor <> s.price_minor OR s.credited_minor <> 0
               ELSE false END
       OR (d.state = 'open') > (s.state = CASE WHEN d.late THEN 'settled' ELSE 'disputed' END)
       OR (d.state = 'upheld') > (s.state = 'returned')
"""
COMPENSATIONS = """
    SELECT d.id AS dispute_id, d.compensation_minor, c.amount_minor, c.account_id
    FROM marketplace.disputes d
    FULL JOIN (SELECT * FROM billing.compensations() WHERE key LIKE 'compensation:dispute:%') c
        ON c.key = 'compensation:dispute:' || d.id
    WHERE coalesce(d.compensation_minor, -1) <> coalesce(c.amount_minor, 0)
       OR c.account_id <> d.publisher_id
       OR (d.compensation_minor > 0 AND d.paid_by IS DISTINCT FROM 'platform')
"""

FEES = r"""
    SELECT d.id AS dispute_id, d.fee_minor, d.fee_state, f.amount_minor, f.account_id
    FROM (SELECT * FROM marketplace.disputes WHERE fee_state = 'charged') d
    FULL JOIN (SELECT * FROM billing.fees() WHERE key LIKE 'dsp\:%\:fee') f ON f.key = 'dsp\:' || d.id || '\:fee'
    WHERE (d.buyer_id, d.fee_minor) IS DISTINCT FROM (f.account_id, f.amount_minor)
       OR d.state NOT IN ('rejected', 'appealed')
"""

DELIVERIES = """
    SELECT coalesce(s.id, d.sale_id) AS sale_id, s.state, d.state AS delivery
    FROM marketplace.sales s FULL JOIN marketplace.deliveries d ON d.sale_id = s.id
    WHERE s.id IS NULL OR s.state IN ('held', 'refused', 'failed') AND d.sale_id IS NULL
       OR d.state IN ('waiting', 'in_hand', 'filed') AND s.state <> 'held'
       OR d.state IN ('refused', 'failed') AND s.state <> d.state
       OR d.state = 'accepted' AND s.state IN ('held', 'refused', 'failed')
"""

MARKET_CHECKS = (
    Check("I12", "each sale is its hold: same buyer, price, share and end", SALES_AND_HOLDS),
    Check("I12", "each decided dispute is what its sale paid back", DISPUTES),
    Check("I12", "what the platform paid for a dispute is in the books, and nothing else", COMPENSATIONS),
    Check("I12", "each fee of a rejected claim is in the books, and nothing else", FEES),
    Check("L3", "each order's counters are its sales", COUNTERS),
    Check("L3", "each order's ceilings follow from its limits", CEILINGS),
    Check("L3", "the counters of each buyer with limits are his sales, and his ceilings follow from them", BUYERS),
    Check("L3", "no lead was sold to more buyers than each of them allowed", SHARES),
    Check("L3", "each lead was resold by its consent, by a decision that is kept", RESALES),
    Check("L11", "each sale has the price of the order version it names", PRICES),
    Check("L11", "each sale has payout and reserve by the version of its publisher's terms that it names", TERMS),
    Check(
        "L3",
        "a lead is sold or pending exactly when it has sales, pending while none is delivered, a test lead never",
        STATUSES,
    ),
    Check("L3", "only sold or pending leads claim a person", TWINS),
    Check("L3", "each sale stands where its delivery stands", DELIVERIES),
)

ALL_CHECKS = (*CHECKS, *MARKET_CHECKS)


def audit_all(connection: Executes) -> AuditReport:
    """Check the whole ledger and the market against it; reads only."""
    return audit(connection, ALL_CHECKS)
