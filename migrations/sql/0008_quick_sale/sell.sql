-- Claim a person for a lead by all of its keys, in key order; false when an equal lead holds one since then.
CREATE FUNCTION marketplace.claim_person(
    p_vertical smallint, p_keys bytea[], p_lead uuid, p_at timestamptz, p_since timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_claimed integer;
BEGIN
    INSERT INTO marketplace.person_keys AS k
    SELECT p_vertical, u, p_lead, p_at FROM unnest(p_keys) AS u
    ON CONFLICT (vertical_id, key) DO UPDATE SET lead_id = excluded.lead_id, claimed_at = excluded.claimed_at
        WHERE k.claimed_at <= p_since;
    GET DIAGNOSTICS v_claimed = ROW_COUNT;
    RETURN v_claimed = cardinality(p_keys);
END $$;

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

-- Apply a chosen set: counters in order-id order, then wallets in account-id order, each one conditional statement.
-- Raises LB001 when a member is no longer feasible; the caller's sub-block then rolls all back and frees the locks.
CREATE FUNCTION marketplace.apply_set(
    o marketplace.offer, p_currency text, p_picked integer[], p_sales uuid[], p_actor text, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n integer;
    v_sale uuid;
BEGIN
    FOREACH n IN ARRAY CASE WHEN p_picked[2] IS NULL THEN p_picked
                            ELSE marketplace.in_lock_order(p_picked, o.orders) END LOOP
        IF NOT marketplace.count_sale(o.orders[n], o.versions[n], o.starts[n * 4 - 3:n * 4], o.prices[n], p_at) THEN
            RAISE SQLSTATE 'LB001';
        END IF;
    END LOOP;
    FOREACH n IN ARRAY CASE WHEN p_picked[2] IS NULL THEN p_picked
                            ELSE marketplace.in_lock_order(p_picked, o.buyers) END LOOP
        v_sale := p_sales[array_position(p_picked, n)];
        IF NOT billing.place_new_hold(v_sale, o.buyers[n], p_currency, o.prices[n], 'cpl',
                                      'sale:' || v_sale || ':hold', p_actor, p_at) THEN
            RAISE SQLSTATE 'LB001';
        END IF;
    END LOOP;
END $$;

-- Sell a lead to the best feasible set, exactly once and within every cap, budget and balance: choose without locks,
-- then claim the persons (in key order), store all, and apply the set in a sub-block; choose again after a miss, which
-- means that somebody else's sale was committed, so it ends. Counters and wallets come last: others wait for them.
-- A lead that is not sold is not stored here.
CREATE FUNCTION marketplace.sell(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, p_actor text,
    p_in_batch boolean)
RETURNS marketplace.deal LANGUAGE plpgsql AS $$
DECLARE
    d marketplace.deal;
    v_since timestamptz := l.received_at - make_interval(days => r.dedupe_days);
    n integer;
BEGIN
    LOOP
        d := marketplace.choose(o, r.currency, r.min_payout, t.share_bp, t.min_margin_minor);
        IF d.outcome IN ('more', 'behind') THEN
            RETURN d;
        ELSIF d.outcome <> 'sold' OR l.test OR p_in_batch THEN
            IF marketplace.is_claimed(l.vertical_id, r.person_keys, v_since) THEN
                RETURN ROW('duplicate', '{}', '{}', '{}', '')::marketplace.deal;
            ELSIF d.outcome = 'sold' AND NOT l.test THEN
                d.outcome := 'alone';
            END IF;
            RETURN d;
        END IF;
        l.status := 'sold';
        FOREACH n IN ARRAY d.picked LOOP
            d.sale_ids := d.sale_ids || uuidv7();
        END LOOP;
        BEGIN
            IF NOT marketplace.claim_person(l.vertical_id, r.person_keys, l.id, l.received_at, v_since) THEN
                RAISE SQLSTATE 'LB002';
            END IF;
            PERFORM marketplace.store_lead(l, o, d, p_actor);
            d.sales := marketplace.store_sales(l, o, r, t, d);
            PERFORM marketplace.apply_set(o, r.currency, d.picked, d.sale_ids, p_actor, l.received_at);
            RETURN d;
        EXCEPTION
            WHEN SQLSTATE 'LB001' THEN NULL;
            WHEN SQLSTATE 'LB002' THEN RETURN ROW('duplicate', '{}', '{}', '{}', '')::marketplace.deal;
        END;
    END LOOP;
END $$;
