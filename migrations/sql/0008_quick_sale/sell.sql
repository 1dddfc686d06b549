-- Is one of these persons claimed already? Asked only of a lead that is not sold: a sale finds out by claiming. One key
-- at a time: a search for any of several took about twice as long when measured.
CREATE FUNCTION marketplace.is_claimed(p_vertical smallint, p_keys bytea[], p_since timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_key bytea;
BEGIN
    FOREACH v_key IN ARRAY p_keys LOOP
        PERFORM FROM marketplace.person_keys k
        WHERE k.vertical_id = p_vertical AND k.key = v_key AND k.claimed_at > p_since;
        IF FOUND THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- The picked candidates in the order of these ids, which is the order in which every writer takes its locks.
CREATE FUNCTION marketplace.in_lock_order(p_picked integer[], p_ids uuid[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(n ORDER BY p_ids[n]) FROM unnest(p_picked) AS n
$$;

-- Hold the money of a set, in account-id order; raises LB001 when a wallet lacks it.
CREATE FUNCTION marketplace.hold_set(
    o marketplace.offer, d marketplace.deal, p_currency text, p_actor text, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n integer;
    v_sale uuid;
BEGIN
    FOREACH n IN ARRAY CASE WHEN d.picked[2] IS NULL THEN d.picked
                            ELSE marketplace.in_lock_order(d.picked, o.buyers) END LOOP
        v_sale := d.sale_ids[array_position(d.picked, n)];
        IF NOT billing.place_new_hold(v_sale, o.buyers[n], p_currency, o.prices[n], 'cpl',
                                      'sale:' || v_sale || ':hold', p_actor, p_at) THEN
            RAISE SQLSTATE 'LB001';
        END IF;
    END LOOP;
END $$;

-- What becomes of a lead that this call does not sell: a duplicate, or as the deal says; 'alone' when somebody would
-- buy it in a transaction of its own.
CREATE FUNCTION marketplace.not_sold(d marketplace.deal, l marketplace.leads, p_keys bytea[], p_since timestamptz)
RETURNS marketplace.deal LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF marketplace.is_claimed(l.vertical_id, p_keys, p_since) THEN
        RETURN ROW('duplicate', '{}', '{}', '{}', '')::marketplace.deal;
    ELSIF d.outcome = 'sold' AND NOT l.test THEN
        d.outcome := 'alone';
    END IF;
    RETURN d;
END $$;

-- Sell a lead to the best feasible set, exactly once and within every cap, budget and balance: choose without locks,
-- then apply in a sub-block: count in the orders, claim the person by all of its keys, store all, hold the money; each
-- takes its locks in the order of ids, and wallets come last, since others wait for them most. A member that is no
-- longer feasible raises LB001: the sub-block rolls back and frees the locks, and it chooses again; that ends, since
-- each miss means that somebody else's sale was committed. A lead that is not sold is not stored here.
-- A first candidate with funds, alone at its price and exclusive, is what choosing would find unless its order has no
-- room, which counting tells: so it is tried without choosing.
CREATE FUNCTION marketplace.sell(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, p_actor text,
    p_in_batch boolean, p_first_has_funds boolean) RETURNS marketplace.deal LANGUAGE plpgsql AS $$
DECLARE
    d marketplace.deal;
    v_since timestamptz := l.received_at - make_interval(days => r.dedupe_days);
    v_try_first boolean := p_first_has_funds AND NOT (l.test OR p_in_batch) AND o.shares[1] = 1
        AND o.prices[1] IS DISTINCT FROM o.prices[2]
        AND affiliates.payout_of(o.prices[1], t.share_bp, t.min_margin_minor) >= r.min_payout;
    n integer;
BEGIN
    LOOP
        d := CASE WHEN v_try_first
            THEN ROW('sold', '{1}', '{}', ARRAY[marketplace.told(o, 1, 'sold')], '')::marketplace.deal
            ELSE marketplace.choose(o, r.currency, r.min_payout, t.share_bp, t.min_margin_minor) END;
        v_try_first := false;
        IF d.outcome IN ('more', 'behind') THEN
            RETURN d;
        ELSIF d.outcome <> 'sold' OR l.test OR p_in_batch THEN
            RETURN marketplace.not_sold(d, l, r.person_keys, v_since);
        END IF;
        l.status := 'sold';
        BEGIN
            FOREACH n IN ARRAY CASE WHEN d.picked[2] IS NULL THEN d.picked
                                    ELSE marketplace.in_lock_order(d.picked, o.orders) END LOOP
                IF NOT marketplace.count_sale(
                    o.orders[n], o.versions[n], o.starts[n * 4 - 3:n * 4], o.prices[n], l.received_at) THEN
                    RAISE SQLSTATE 'LB001';
                END IF;
                d.sale_ids := d.sale_ids || uuidv7();
            END LOOP;
            INSERT INTO marketplace.person_keys AS k
            SELECT l.vertical_id, unnest(r.person_keys), l.id, l.received_at
            ON CONFLICT (vertical_id, key) DO UPDATE SET lead_id = excluded.lead_id, claimed_at = excluded.claimed_at
                WHERE k.claimed_at <= v_since;
            GET DIAGNOSTICS n = ROW_COUNT;
            IF n < cardinality(r.person_keys) THEN
                RAISE SQLSTATE 'LB002';
            END IF;
            PERFORM marketplace.store_lead(l, o, d, p_actor);
            d.sales := marketplace.store_sales(l, o, r, t, d);
            PERFORM marketplace.hold_set(o, d, r.currency, p_actor, l.received_at);
            RETURN d;
        EXCEPTION
            WHEN SQLSTATE 'LB001' THEN NULL;
            WHEN SQLSTATE 'LB002' THEN RETURN ROW('duplicate', '{}', '{}', '{}', '')::marketplace.deal;
        END;
    END LOOP;
END $$;
