-- A long history of one publisher and one buyer, copied from one lead that was sold and one that was refused. Every
-- constraint and trigger is in force, so the books hold afterwards. `crowd` names the new rows: lead, sale, instant,
-- contact sealed for the lead, and whether it was sold; ids grow with the instants. The first row is the oldest.
CREATE TEMPORARY TABLE copied AS
SELECT c.*, t.id AS template, row_number() OVER (ORDER BY c.lead_id) AS n
FROM crowd c JOIN marketplace.leads t ON t.publisher_id = %(publisher)s AND (t.status = 'sold') = c.is_sold;
CREATE INDEX ON copied (lead_id);
ANALYZE copied;

INSERT INTO marketplace.leads
SELECT c.lead_id, t.publisher_id, t.vertical_id, t.region, t.status, t.reasons, t.contact_class,
       (ARRAY['hot', 'warm', 'cold'])[1 + c.n %% 3], (c.n * 7919 %% 101)::smallint, t.test, 'crowd-' || c.n,
       'source ' || c.n %% 7, c.at, t.details, c.contact, t.contact_key, t.decision
FROM copied c JOIN marketplace.leads t ON t.id = c.template ORDER BY c.lead_id;

-- One in fifty of the last days is disputed; the others are delivered, and settled by the market's own work.
INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency, price_minor,
    payout_minor, reserve_minor, reserve_days, terms_version, window_ends_at, release_at, sold_at, delivered_at)
SELECT c.sale_id, c.lead_id, s.order_id, s.order_version, s.buyer_id, s.publisher_id,
       CASE WHEN c.n %% 50 = 0 AND c.at > %(now)s - interval '4 days' THEN 'disputed' ELSE 'delivered' END, s.currency,
       s.price_minor, s.payout_minor, s.reserve_minor, s.reserve_days, s.terms_version, c.at + interval '5 days',
       c.at + interval '7 days', c.at, c.at + interval '1 minute'
FROM copied c JOIN marketplace.sales s ON s.lead_id = c.template ORDER BY c.sale_id;

INSERT INTO marketplace.events (subject_id, at, move, actor)
SELECT c.lead_id, c.at, CASE WHEN c.is_sold THEN 'new>sold' ELSE 'new>rejected' END, 'system:bench' FROM copied c
UNION ALL SELECT c.sale_id, c.at, 'held>delivered', 'system:bench' FROM copied c WHERE c.is_sold;

INSERT INTO marketplace.deliveries (sale_id, lead_id, order_id, order_version, buyer_id, state, attempts,
    next_attempt_at, give_up_at, window_hours, hold_days, ended_at)
SELECT s.id, s.lead_id, s.order_id, s.order_version, s.buyer_id, 'accepted', 1, s.sold_at, s.sold_at, 24, 7,
       s.delivered_at
FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id ORDER BY s.id;

INSERT INTO marketplace.delivery_attempts (sale_id, number, started_at, outcome, status, milliseconds)
SELECT c.sale_id, 1, c.at, 'accepted', 200, 80 FROM copied c WHERE c.is_sold ORDER BY c.sale_id;

INSERT INTO marketplace.disputes (id, sale_id, buyer_id, publisher_id, reason, note, evidence, state, opened_at,
    hear_until, decide_by, full_payout_minor, full_reserve_minor)
SELECT uuidv7(), s.id, s.buyer_id, s.publisher_id, 'mistyped', 'Said so on the phone.', '{}', 'open', %(now)s,
       %(now)s + interval '2 days', %(now)s + interval '5 days', s.payout_minor, s.reserve_minor
FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id WHERE s.state = 'disputed' ORDER BY s.id;

INSERT INTO billing.transactions (id, key, kind, currency, source, actor, occurred_at)
SELECT s.id, 'crowd:' || s.id, 'hold', s.currency, s.id, 'system:bench', s.sold_at
FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id ORDER BY s.id;
INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
SELECT s.id, l.line, l.account, s.buyer_id, s.currency, l.sign * s.price_minor
FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id,
     (VALUES (2::smallint, 2000::smallint, 1), (3, 2010, -1)) AS l (line, account, sign) ORDER BY s.id, l.line;
INSERT INTO billing.holds (id, account_id, currency, amount_minor, promo_minor, kind, transaction_id, placed_at)
SELECT s.id, s.buyer_id, s.currency, s.price_minor, 0, 'cpl', s.id, s.sold_at
FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id ORDER BY s.id;
UPDATE billing.wallets w SET available = w.available - t.total, held = w.held + t.total
FROM (SELECT s.buyer_id, s.currency, sum(s.price_minor) AS total
      FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id GROUP BY 1, 2) t
WHERE w.account_id = t.buyer_id AND w.currency = t.currency;
UPDATE marketplace.order_counters o SET total_leads = o.total_leads + t.leads, total_spend = o.total_spend + t.spend
FROM (SELECT s.order_id, count(*) AS leads, sum(s.price_minor) AS spend
      FROM marketplace.sales s JOIN copied c ON c.sale_id = s.id GROUP BY 1) t
WHERE o.order_id = t.order_id;
