-- Does the order still have room for one more lead at this price? The four starts name the present periods.
CREATE FUNCTION marketplace.has_room(
    o marketplace.order_counters, p_hour bigint, p_day bigint, p_week bigint, p_month bigint, p_price bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT o.limited OR (
            (o.hour_cap IS NULL OR o.hour_start <> p_hour OR o.hour_leads < o.hour_cap)
        AND (o.day_cap IS NULL OR o.day_start <> p_day OR o.day_leads < o.day_cap)
        AND (o.week_cap IS NULL OR o.week_start <> p_week OR o.week_leads < o.week_cap)
        AND (o.month_cap IS NULL OR o.month_start <> p_month OR o.month_leads < o.month_cap)
        AND (o.total_cap IS NULL OR o.total_leads < o.total_cap)
        AND (o.hour_budget IS NULL
             OR CASE o.hour_start WHEN p_hour THEN o.hour_spend ELSE 0 END + p_price <= o.hour_budget)
        AND (o.day_budget IS NULL
             OR CASE o.day_start WHEN p_day THEN o.day_spend ELSE 0 END + p_price <= o.day_budget)
        AND (o.week_budget IS NULL
             OR CASE o.week_start WHEN p_week THEN o.week_spend ELSE 0 END + p_price <= o.week_budget)
        AND (o.month_budget IS NULL
             OR CASE o.month_start WHEN p_month THEN o.month_spend ELSE 0 END + p_price <= o.month_budget)
        AND (o.total_budget IS NULL OR o.total_spend + p_price <= o.total_budget))
$$;

-- Is an instant in these periods older than what the order has already counted, or are they periods of a zone that the
-- order has left? Then the caller's clock or book lags.
CREATE FUNCTION marketplace.is_behind(
    o marketplace.order_counters, p_version integer, p_hour bigint, p_day bigint, p_week bigint, p_month bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT o.zone_version > p_version
        OR o.limited AND (o.hour_start > p_hour OR o.day_start > p_day OR o.week_start > p_week
                          OR o.month_start > p_month)
$$;

-- Which limit is reached, with its figures: "day cap 50 of 50". Only asked for orders without room.
CREATE FUNCTION marketplace.limit_reached(
    o marketplace.order_counters, p_hour bigint, p_day bigint, p_week bigint, p_month bigint, p_price bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(t.said, ', ' ORDER BY t.rank) FROM (
        SELECT l.rank, CASE WHEN l.leads >= l.cap THEN l.period || ' cap ' || l.leads || ' of ' || l.cap
                            ELSE l.period || ' budget ' || l.spend || ' of ' || l.budget END AS said
        FROM (VALUES
            (1, 'hour', o.hour_cap, o.hour_budget, CASE o.hour_start WHEN p_hour THEN o.hour_leads ELSE 0 END,
                CASE o.hour_start WHEN p_hour THEN o.hour_spend ELSE 0 END),
            (2, 'day', o.day_cap, o.day_budget, CASE o.day_start WHEN p_day THEN o.day_leads ELSE 0 END,
                CASE o.day_start WHEN p_day THEN o.day_spend ELSE 0 END),
            (3, 'week', o.week_cap, o.week_budget, CASE o.week_start WHEN p_week THEN o.week_leads ELSE 0 END,
                CASE o.week_start WHEN p_week THEN o.week_spend ELSE 0 END),
            (4, 'month', o.month_cap, o.month_budget, CASE o.month_start WHEN p_month THEN o.month_leads ELSE 0 END,
                CASE o.month_start WHEN p_month THEN o.month_spend ELSE 0 END),
            (5, 'total', o.total_cap, o.total_budget, o.total_leads, o.total_spend)
        ) AS l (rank, period, cap, budget, leads, spend)
        WHERE l.leads >= l.cap OR l.spend + p_price > l.budget) AS t
$$;

-- What keeps an order from one more lead at this price, by its committed counters: NULL when nothing does, 'behind'
-- when the instant or the zone is older than what it has counted in, else the limit that is reached.
CREATE FUNCTION marketplace.reached(
    p_order uuid, p_version integer, p_hour bigint, p_day bigint, p_week bigint, p_month bigint, p_price bigint)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_reached text;
BEGIN
    -- One look-up by key; the functions are inlined, so that only what the order limits is computed.
    SELECT CASE WHEN marketplace.is_behind(o, p_version, p_hour, p_day, p_week, p_month) THEN 'behind'
                WHEN marketplace.has_room(o, p_hour, p_day, p_week, p_month, p_price) THEN NULL
                ELSE marketplace.limit_reached(o, p_hour, p_day, p_week, p_month, p_price) END
    INTO v_reached
    FROM marketplace.order_counters o WHERE o.order_id = p_order;
    RETURN v_reached;
END $$;

-- Count one lead at this price, or count nothing and say so: one conditional UPDATE checks every period.
CREATE FUNCTION marketplace.count_sale(
    p_order uuid, p_version integer, p_hour bigint, p_day bigint, p_week bigint, p_month bigint, p_price bigint,
    p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketplace.order_counters o SET
        hour_start = greatest(o.hour_start, p_hour),
        hour_leads = CASE WHEN o.hour_start >= p_hour THEN o.hour_leads ELSE 0 END + 1,
        hour_spend = CASE WHEN o.hour_start >= p_hour THEN o.hour_spend ELSE 0 END + p_price,
        day_start = greatest(o.day_start, p_day),
        day_leads = CASE WHEN o.day_start >= p_day THEN o.day_leads ELSE 0 END + 1,
        day_spend = CASE WHEN o.day_start >= p_day THEN o.day_spend ELSE 0 END + p_price,
        week_start = greatest(o.week_start, p_week),
        week_leads = CASE WHEN o.week_start >= p_week THEN o.week_leads ELSE 0 END + 1,
        week_spend = CASE WHEN o.week_start >= p_week THEN o.week_spend ELSE 0 END + p_price,
        month_start = greatest(o.month_start, p_month),
        month_leads = CASE WHEN o.month_start >= p_month THEN o.month_leads ELSE 0 END + 1,
        month_spend = CASE WHEN o.month_start >= p_month THEN o.month_spend ELSE 0 END + p_price,
        total_leads = o.total_leads + 1, total_spend = o.total_spend + p_price,
        last_sold_at = greatest(o.last_sold_at, p_at)
    WHERE o.order_id = p_order
      AND marketplace.has_room(o, p_hour, p_day, p_week, p_month, p_price)
      AND NOT marketplace.is_behind(o, p_version, p_hour, p_day, p_week, p_month);
    RETURN FOUND;
END $$;
