-- What an order pays for its next lead in these periods, by the ladder among its extras.
CREATE FUNCTION marketplace.ladder_price(o marketplace.order_counters, p_starts bigint[], p_extra jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT (s ->> 1)::bigint
    FROM jsonb_array_elements(p_extra -> 'ladder') AS s
    WHERE (s ->> 0)::bigint <= 1 + o.total_leads - CASE WHEN (p_extra ->> 'of')::integer = 5 THEN 0
        ELSE (marketplace.turned_over(o.leads_before, o.starts, p_starts, o.total_leads))[(p_extra ->> 'of')::integer] END
    ORDER BY (s ->> 0)::bigint DESC LIMIT 1
$$;

-- What of its extras keeps an order from one more lead at this price in these periods, with its figures, NULL when nothing
-- does: a cap of the weekday, the pace; 'price' when its ladder has moved on.
CREATE FUNCTION marketplace.held_back(
    o marketplace.order_counters, p_starts bigint[], p_price bigint, p_extra jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_leads bigint := o.total_leads - (marketplace.turned_over(o.leads_before, o.starts, p_starts, o.total_leads))[2];
    v_spend bigint := o.total_spend - (marketplace.turned_over(o.spend_before, o.starts, p_starts, o.total_spend))[2];
BEGIN
    RETURN CASE
        WHEN p_extra ? 'ladder' AND marketplace.ladder_price(o, p_starts, p_extra) <> p_price THEN 'price'
        WHEN v_leads >= (p_extra ->> 'day')::bigint
            THEN format('%s %s of %s', p_extra ->> 'day_word', v_leads, p_extra ->> 'day')
        WHEN v_spend + p_price > (p_extra ->> 'spend')::bigint
            THEN format('%s %s of %s', p_extra ->> 'spend_word', v_spend, p_extra ->> 'spend') END;
END $$;

-- What the candidates pay now: those with a ladder by what they have bought, the others what was offered.
CREATE FUNCTION marketplace.prices_now(o marketplace.offer) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT CASE WHEN o.extras -> (n - 1) ? 'ladder'
                    THEN (SELECT marketplace.ladder_price(c, o.starts[n * 4 - 3:n * 4], o.extras -> (n - 1))
                          FROM marketplace.order_counters c WHERE c.order_id = o.orders[n])
                    ELSE o.prices[n] END
        FROM generate_series(1, cardinality(o.orders)) AS n ORDER BY n);
END $$;

-- Count one lead at this price, or count nothing and say so: one conditional UPDATE checks every limit.
DROP FUNCTION marketplace.count_sale;
CREATE FUNCTION marketplace.count_sale(
    p_order uuid, p_version integer, p_starts bigint[], p_price bigint, p_at timestamptz, p_extra jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        UPDATE marketplace.order_counters o
        SET total_leads = o.total_leads + 1, total_spend = o.total_spend + p_price,
            last_sold_at = greatest(o.last_sold_at, p_at)
        WHERE o.order_id = p_order AND marketplace.has_room(o, p_version, p_starts, p_price)
          AND (p_extra IS NULL OR marketplace.held_back(o, p_starts, p_price, p_extra) IS NULL);
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

-- What becomes of one candidate if nobody is picked before it: sold, below_min, behind, no_funds, or capped with what
-- is reached: capped","day cap 50 of 50.
DROP FUNCTION marketplace.tried;
CREATE FUNCTION marketplace.tried(
    p_order uuid, p_version integer, p_starts bigint[], p_buyer uuid, p_currency text, p_price bigint,
    p_is_enough boolean, p_extra jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_said text;
BEGIN
    SELECT CASE WHEN p_is_enough THEN coalesce(
               CASE WHEN NOT marketplace.has_room(o, p_version, p_starts, p_price)
                   THEN marketplace.reached(o, p_version, p_starts, p_price) END,
               CASE WHEN p_extra IS NOT NULL THEN marketplace.held_back(o, p_starts, p_price, p_extra) END,
               CASE WHEN f.minor >= p_price THEN 'sold' ELSE 'no_funds' END)
           ELSE 'below_min' END
    INTO v_said
    FROM marketplace.order_counters o LEFT JOIN billing.spendable(p_buyer, p_currency) AS f (minor) ON true
    WHERE o.order_id = p_order;
    IF v_said IN ('sold', 'no_funds', 'below_min', 'behind') THEN
        RETURN v_said;
    END IF;
    RETURN concat('capped","', v_said);
END $$;
