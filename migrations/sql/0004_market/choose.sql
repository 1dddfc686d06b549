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
    v_said text;
    c record;
BEGIN
    WHILE v_first <= v_end AND (v_limit IS NULL OR cardinality(d.picked) < v_limit) LOOP
        v_last := v_first;
        WHILE v_last < v_end AND o.prices[v_last + 1] = o.prices[v_first] LOOP
            v_last := v_last + 1;
        END LOOP;
        FOR c IN SELECT * FROM marketplace.tier(o.orders, o.starts, v_first, v_last, o.prices[v_first]) LOOP
            EXIT WHEN cardinality(d.picked) >= v_limit;
            v_said := CASE
                WHEN affiliates.payout_of(o.prices[c.n], t.share_bp, t.min_margin_minor) < r.min_payout THEN 'below_min'
                WHEN c.behind THEN 'behind'
                WHEN c.reached IS NOT NULL THEN 'capped'
                WHEN NOT billing.covers(o.buyers[c.n], r.currency, o.prices[c.n]) THEN 'no_funds'
                WHEN d.picked = '{}' THEN 'sold'
                WHEN o.shares[c.n] = 1 OR marketplace.has_buyer(o.buyers, d.picked, o.buyers[c.n]) THEN 'outbid'
                WHEN cardinality(d.picked) >= o.shares[c.n] THEN 'share_full'
                ELSE 'sold' END;
            d.tried := d.tried || concat('["', o.orders[c.n], '",', o.versions[c.n], ',"', v_said, '"',
                                         CASE v_said WHEN 'capped' THEN ',"' || c.reached || '"' END, ']');
            IF v_said = 'sold' THEN
                d.picked := d.picked || c.n;
                v_limit := least(v_limit, o.shares[c.n]);
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

-- The candidates of one price in the order of their turn, each with what its counters say.
CREATE FUNCTION marketplace.tier(
    p_orders uuid[], p_starts bigint[], p_first integer, p_last integer, p_price bigint,
    OUT n integer, OUT behind boolean, OUT reached text)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    IF p_first = p_last THEN
        n := p_first;
        SELECT k.behind, k.reached INTO behind, reached
        FROM marketplace.reading(p_orders[n], p_starts[n * 4 - 3 : n * 4], p_price) AS k;
        RETURN NEXT;
    ELSE
        RETURN QUERY
        SELECT i, k.behind, k.reached
        FROM generate_series(p_first, p_last) AS i,
             marketplace.reading(p_orders[i], p_starts[i * 4 - 3 : i * 4], p_price) AS k
        ORDER BY k.last_sold_at NULLS FIRST, p_orders[i];
    END IF;
END $$;

-- One order's counters read by key, whatever the size of the table: is the instant behind them, which limit is
-- reached for one more lead at this price, when did it last buy.
CREATE FUNCTION marketplace.reading(
    p_order uuid, p_starts bigint[], p_price bigint,
    OUT behind boolean, OUT reached text, OUT last_sold_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    k marketplace.order_counters;
BEGIN
    SELECT * INTO k FROM marketplace.order_counters o WHERE o.order_id = p_order;
    last_sold_at := k.last_sold_at;
    IF k.limited THEN
        behind := marketplace.is_behind(k, p_starts[1], p_starts[2], p_starts[3], p_starts[4]);
        IF NOT marketplace.has_room(k, p_starts[1], p_starts[2], p_starts[3], p_starts[4], p_price) THEN
            reached := marketplace.limit_reached(k, p_starts[1], p_starts[2], p_starts[3], p_starts[4], p_price);
        END IF;
    END IF;
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
