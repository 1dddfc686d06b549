-- One row an order counts its sales against every limit. Only the totals move with a sale; what each period began with
-- stands beside them, and so does the total at which the first limit of the present periods is reached. So one sale
-- is one short UPDATE, and only the first sale of a new hour does more.
ALTER TABLE marketplace.order_counters
    ADD COLUMN caps bigint[] NOT NULL DEFAULT '{}',           -- of hour, day, week, month and in total; NULL: none
    ADD COLUMN budgets bigint[] NOT NULL DEFAULT '{}',        -- likewise, in minor units
    ADD COLUMN starts bigint[] NOT NULL DEFAULT '{0,0,0,0}',  -- epoch seconds at which hour, day, week, month began
    ADD COLUMN leads_before bigint[] NOT NULL DEFAULT '{0,0,0,0}',  -- total_leads when each of them began
    ADD COLUMN spend_before bigint[] NOT NULL DEFAULT '{0,0,0,0}',
    ADD COLUMN leads_ceiling bigint NOT NULL DEFAULT 9223372036854775807,
    ADD COLUMN spend_ceiling bigint NOT NULL DEFAULT 9223372036854775807;

-- The total at which the first of these limits is reached, given the totals with which the periods began.
CREATE FUNCTION marketplace.ceiling(p_limits bigint[], p_before bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(min(l.most + coalesce(p_before[l.n], 0)), 9223372036854775807)
    FROM unnest(p_limits) WITH ORDINALITY AS l (most, n)
$$;

UPDATE marketplace.order_counters SET
    caps = ARRAY[hour_cap, day_cap, week_cap, month_cap, total_cap],
    budgets = ARRAY[hour_budget, day_budget, week_budget, month_budget, total_budget],
    starts = ARRAY[hour_start, day_start, week_start, month_start],
    leads_before = ARRAY[total_leads - hour_leads, total_leads - day_leads, total_leads - week_leads,
                         total_leads - month_leads],
    spend_before = ARRAY[total_spend - hour_spend, total_spend - day_spend, total_spend - week_spend,
                         total_spend - month_spend];
UPDATE marketplace.order_counters SET
    leads_ceiling = marketplace.ceiling(caps, leads_before), spend_ceiling = marketplace.ceiling(budgets, spend_before);

ALTER TABLE marketplace.order_counters
    DROP COLUMN hour_cap, DROP COLUMN hour_budget, DROP COLUMN hour_start, DROP COLUMN hour_leads, DROP COLUMN hour_spend,
    DROP COLUMN day_cap, DROP COLUMN day_budget, DROP COLUMN day_start, DROP COLUMN day_leads, DROP COLUMN day_spend,
    DROP COLUMN week_cap, DROP COLUMN week_budget, DROP COLUMN week_start, DROP COLUMN week_leads,
    DROP COLUMN week_spend, DROP COLUMN month_cap, DROP COLUMN month_budget, DROP COLUMN month_start,
    DROP COLUMN month_leads, DROP COLUMN month_spend, DROP COLUMN total_cap, DROP COLUMN total_budget;

-- Has one of these periods begun later than asked? Then the asker's clock lags.
CREATE FUNCTION marketplace.is_later(p_starts bigint[], p_asked bigint[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_starts[1] > p_asked[1] OR p_starts[2] > p_asked[2] OR p_starts[3] > p_asked[3] OR p_starts[4] > p_asked[4]
$$;

-- The totals with which the asked periods began, given those of the periods last counted in.
CREATE FUNCTION marketplace.turned_over(p_before bigint[], p_starts bigint[], p_asked bigint[], p_total bigint)
RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(CASE WHEN s.start = p_asked[s.n] THEN p_before[s.n] ELSE p_total END ORDER BY s.n)
    FROM unnest(p_starts) WITH ORDINALITY AS s (start, n)
$$;

-- What keeps a limited order from one more lead at this price in these periods: NULL when nothing does, 'behind' when
-- the periods are older than what it has counted in or of a zone that it has left, else the limits that are reached,
-- with their figures: "day cap 50 of 50".
CREATE FUNCTION marketplace.reached(
    o marketplace.order_counters, p_version integer, p_starts bigint[], p_price bigint)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_leads bigint[] := marketplace.turned_over(o.leads_before, o.starts, p_starts, o.total_leads);
    v_spend bigint[] := marketplace.turned_over(o.spend_before, o.starts, p_starts, o.total_spend);
BEGIN
    IF o.zone_version > p_version OR marketplace.is_later(o.starts, p_starts) THEN
        RETURN 'behind';
    END IF;
    RETURN (
        SELECT string_agg(CASE WHEN l.leads >= l.cap THEN format('%s cap %s of %s', l.period, l.leads, l.cap)
                               ELSE format('%s budget %s of %s', l.period, l.spend, l.budget) END, ', ' ORDER BY l.n)
        FROM (SELECT p.n, p.period, o.caps[p.n] AS cap, o.budgets[p.n] AS budget,
                     o.total_leads - coalesce(v_leads[p.n], 0) AS leads,
                     o.total_spend - coalesce(v_spend[p.n], 0) AS spend
              FROM unnest('{hour,day,week,month,total}'::text[]) WITH ORDINALITY AS p (period, n)) AS l
        WHERE l.leads >= l.cap OR l.spend + p_price > l.budget);
END $$;

-- Has an order room for one more lead at this price in these periods, as far as its counters tell?
-- Planned into the statement that asks.
CREATE FUNCTION marketplace.has_room(
    o marketplace.order_counters, p_version integer, p_starts bigint[], p_price bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT o.limited OR o.starts = p_starts AND o.zone_version <= p_version
        AND o.total_leads < o.leads_ceiling AND o.total_spend + p_price <= o.spend_ceiling
$$;

-- Count one lead at this price, or count nothing and say so: one conditional UPDATE checks every limit.
CREATE FUNCTION marketplace.count_sale(
    p_order uuid, p_version integer, p_starts bigint[], p_price bigint, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        UPDATE marketplace.order_counters o
        SET total_leads = o.total_leads + 1, total_spend = o.total_spend + p_price,
            last_sold_at = greatest(o.last_sold_at, p_at)
        WHERE o.order_id = p_order AND marketplace.has_room(o, p_version, p_starts, p_price);
        IF FOUND THEN
            RETURN true;
        END IF;
        UPDATE marketplace.order_counters o SET
            starts = p_starts,
            leads_before = marketplace.turned_over(o.leads_before, o.starts, p_starts, o.total_leads),
            spend_before = marketplace.turned_over(o.spend_before, o.starts, p_starts, o.total_spend),
            leads_ceiling = marketplace.ceiling(
                o.caps, marketplace.turned_over(o.leads_before, o.starts, p_starts, o.total_leads)),
            spend_ceiling = marketplace.ceiling(
                o.budgets, marketplace.turned_over(o.spend_before, o.starts, p_starts, o.total_spend))
        WHERE o.order_id = p_order AND o.zone_version <= p_version
          AND o.starts <> p_starts AND NOT marketplace.is_later(o.starts, p_starts);
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
END $$;
