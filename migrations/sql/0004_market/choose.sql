-- Choose the best feasible set from committed counters and balances, without a lock.
-- Rank: price, then longest since the last purchase, then id; candidates come with the best price first, so that only
-- the tiers that are needed are looked at. The first feasible candidate decides: exclusive, or a shared set of n that
-- needs n <= every member's share and one order a buyer.
CREATE FUNCTION marketplace.choose(o marketplace.offer, r marketplace.rules, t affiliates.publishers)
RETURNS marketplace.deal LANGUAGE plpgsql STABLE AS $$
DECLARE
    d marketplace.deal := ROW('unsold', '{}', '{}', '{}');
    v_limit integer;
    v_first integer := 1;
    v_last integer;
    v_end integer := cardinality(o.orders);
    v_reached text;
    v_said text;
    n integer;
BEGIN
    WHILE v_first <= v_end AND (v_limit IS NULL OR cardinality(d.picked) < v_limit) LOOP
        v_last := v_first;
        WHILE v_last < v_end AND o.prices[v_last + 1] = o.prices[v_first] LOOP
            v_last := v_last + 1;
        END LOOP;
        FOREACH n IN ARRAY marketplace.turns(o.orders, v_first, v_last) LOOP
            EXIT WHEN cardinality(d.picked) >= v_limit;
            v_reached := marketplace.reached(o.orders[n], o.versions[n], o.starts[n * 4 - 3], o.starts[n * 4 - 2],
                                             o.starts[n * 4 - 1], o.starts[n * 4], o.prices[n]);
            v_said := CASE
                WHEN affiliates.payout_of(o.prices[n], t.share_bp, t.min_margin_minor) < r.min_payout THEN 'below_min'
                WHEN v_reached = 'behind' THEN 'behind'
                WHEN v_reached IS NOT NULL THEN 'capped'
                WHEN NOT billing.covers(o.buyers[n], r.currency, o.prices[n]) THEN 'no_funds'
                WHEN d.picked = '{}' THEN 'sold'
                WHEN o.shares[n] = 1 OR marketplace.has_buyer(o.buyers, d.picked, o.buyers[n]) THEN 'outbid'
                WHEN cardinality(d.picked) >= o.shares[n] THEN 'share_full'
                ELSE 'sold' END;
            d.tried := d.tried || concat('["', o.orders[n], '",', o.versions[n], ',"', v_said, '"',
                                         CASE v_said WHEN 'capped' THEN ',"' || v_reached || '"' END, ']');
            IF v_said = 'sold' THEN
                d.picked := d.picked || n;
                v_limit := least(v_limit, o.shares[n]);
            ELSIF v_said = 'behind' THEN
                d.outcome := 'behind';
                RETURN d;
            END IF;
        END LOOP;
        v_first := v_last + 1;
    END LOOP;
    d.outcome := CASE WHEN NOT o.is_last AND cardinality(d.picked) < coalesce(v_limit, 1) THEN 'more'
                      WHEN d.picked <> '{}' THEN 'sold' ELSE 'unsold' END;
    RETURN d;
END $$;

-- The candidates of one price in the order of their turn: longest since the last purchase first, then by id.
CREATE FUNCTION marketplace.turns(p_orders uuid[], p_first integer, p_last integer) RETURNS integer[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_first = p_last THEN
        RETURN ARRAY[p_first];
    END IF;
    RETURN ARRAY(SELECT n FROM generate_series(p_first, p_last) AS n
                 ORDER BY (SELECT k.last_sold_at FROM marketplace.order_counters k WHERE k.order_id = p_orders[n])
                     NULLS FIRST, p_orders[n]);
END $$;

-- Does the set have an order of this buyer already?
CREATE FUNCTION marketplace.has_buyer(p_buyers uuid[], p_picked integer[], p_buyer uuid) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_n integer;
BEGIN
    FOREACH v_n IN ARRAY p_picked LOOP
        IF p_buyers[v_n] = p_buyer THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;
