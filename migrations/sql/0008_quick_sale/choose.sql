-- Choose the best feasible set from committed counters and balances, without a lock.
-- Rank: price, then longest since the last purchase, then id; candidates come with the best price first, so that only
-- the tiers that are needed are looked at. The first feasible candidate decides: exclusive, or a shared set of n that
-- needs n <= every member's share and one order a buyer.
CREATE FUNCTION marketplace.choose(
    o marketplace.offer, p_currency text, p_min_payout bigint, p_share_bp integer, p_min_margin bigint)
RETURNS marketplace.deal LANGUAGE plpgsql STABLE AS $$
DECLARE
    d marketplace.deal;
    v_picked integer[] := '{}';
    v_tried text[] := '{}';
    v_limit integer;
    v_first integer := 1;
    v_last integer;
    v_end integer := cardinality(o.orders);
    v_said text;
    n integer;
BEGIN
    WHILE v_first <= v_end AND (v_limit IS NULL OR cardinality(v_picked) < v_limit) LOOP
        v_last := v_first;
        WHILE o.prices[v_last + 1] = o.prices[v_first] LOOP
            v_last := v_last + 1;
        END LOOP;
        FOREACH n IN ARRAY CASE WHEN v_first = v_last THEN ARRAY[v_first]
                                ELSE marketplace.turns(o.orders, v_first, v_last) END LOOP
            EXIT WHEN cardinality(v_picked) >= v_limit;
            v_said := marketplace.tried(o.orders[n], o.versions[n], o.starts[n * 4 - 3:n * 4], o.buyers[n], p_currency,
                o.prices[n], affiliates.payout_of(o.prices[n], p_share_bp, p_min_margin) >= p_min_payout);
            IF v_said = 'sold' AND v_picked <> '{}' THEN
                v_said := CASE
                    WHEN o.shares[n] = 1 OR marketplace.has_buyer(o.buyers, v_picked, o.buyers[n]) THEN 'outbid'
                    WHEN cardinality(v_picked) >= o.shares[n] THEN 'share_full'
                    ELSE 'sold' END;
            END IF;
            v_tried := v_tried || marketplace.told(o, n, v_said);
            IF v_said = 'sold' THEN
                v_picked := v_picked || n;
                v_limit := least(v_limit, o.shares[n]);
            ELSIF v_said = 'behind' THEN
                d.outcome := v_said;
                RETURN d;
            END IF;
        END LOOP;
        v_first := v_last + 1;
    END LOOP;
    RETURN ROW(CASE WHEN NOT o.is_last AND cardinality(v_picked) < coalesce(v_limit, 1) THEN 'more'
                    WHEN v_picked <> '{}' THEN 'sold' ELSE 'unsold' END, v_picked, '{}', v_tried, '')::marketplace.deal;
END $$;

-- The story of one candidate: what became of which version of its order.
CREATE FUNCTION marketplace.told(o marketplace.offer, n integer, p_said text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat('["', o.orders[n], '",', o.versions[n], ',"', p_said, '"]')
$$;

-- What becomes of one candidate if nobody is picked before it: sold, below_min, behind, no_funds, or capped with what
-- is reached: capped","day cap 50 of 50.
CREATE FUNCTION marketplace.tried(
    p_order uuid, p_version integer, p_starts bigint[], p_buyer uuid, p_currency text, p_price bigint,
    p_is_enough boolean) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_said text;
BEGIN
    SELECT CASE WHEN p_is_enough THEN coalesce(
               CASE WHEN NOT marketplace.has_room(o, p_version, p_starts, p_price)
                   THEN marketplace.reached(o, p_version, p_starts, p_price) END,
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

-- The candidates of one price in the order of their turn: longest since the last purchase first, then by id.
CREATE FUNCTION marketplace.turns(p_orders uuid[], p_first integer, p_last integer) RETURNS integer[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT n FROM generate_series(p_first, p_last) AS n
                 ORDER BY (SELECT k.last_sold_at FROM marketplace.order_counters k WHERE k.order_id = p_orders[n])
                     NULLS FIRST, p_orders[n]);
END $$;

-- Does the set have an order of this buyer already?
CREATE FUNCTION marketplace.has_buyer(p_buyers uuid[], p_picked integer[], p_buyer uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_buyer IN (SELECT p_buyers[n] FROM unnest(p_picked) AS n)
$$;
