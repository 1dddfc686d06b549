-- How many leads, or how much spend, had come before each period began, once a sale is taken out: one sale less for the
-- periods that began after it.
CREATE FUNCTION marketplace.without_sale(
    p_before bigint[], p_starts bigint[], p_amount bigint, p_sold_at timestamptz) RETURNS bigint[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(p_before[s.n] - CASE WHEN p_sold_at < to_timestamp(s.start) THEN p_amount ELSE 0 END ORDER BY s.n)
    FROM unnest(p_starts) WITH ORDINALITY AS s (start, n)
$$;

-- Take a sale that came to nothing out of its order's counters: of the totals, and of each period that it was counted
-- in; where a later period has begun since, that one began with one sale less.
-- It reads nothing but the row that it changes: who waited for another's count computes from that one's outcome, which
-- a join of the row with itself would not see.
CREATE OR REPLACE FUNCTION marketplace.uncount_sale(p_order uuid, p_price bigint, p_sold_at timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE marketplace.order_counters o SET
        total_leads = o.total_leads - 1, total_spend = o.total_spend - p_price,
        leads_before = marketplace.without_sale(o.leads_before, o.starts, 1, p_sold_at),
        spend_before = marketplace.without_sale(o.spend_before, o.starts, p_price, p_sold_at),
        leads_ceiling = marketplace.ceiling(
            o.caps, marketplace.without_sale(o.leads_before, o.starts, 1, p_sold_at)),
        spend_ceiling = marketplace.ceiling(
            o.budgets, marketplace.without_sale(o.spend_before, o.starts, p_price, p_sold_at))
    WHERE o.order_id = p_order
$$;
