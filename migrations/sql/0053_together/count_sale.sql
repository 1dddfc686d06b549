-- Count one sale in its order's counters, unless a limit is reached; the first sale of an hour, day, week or month begins
-- it. Who begins it at the same moment as another waits for him and then counts in what the other began.
CREATE OR REPLACE FUNCTION marketplace.count_sale(
    p_order uuid, p_version integer, p_starts bigint[], p_price bigint, p_at timestamptz, p_extra jsonb
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 2 LOOP
        UPDATE marketplace.order_counters o
        SET total_leads = o.total_leads + 1, total_spend = o.total_spend + p_price,
            last_sold_at = greatest(o.last_sold_at, p_at)
        WHERE o.order_id = p_order AND marketplace.has_room(o, p_version, p_starts, p_price)
          AND (p_extra IS NULL OR marketplace.held_back(o, p_starts, p_price, p_extra) IS NULL);
        IF FOUND OR i = 2 THEN
            RETURN FOUND;
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
    END LOOP;
END $$;
