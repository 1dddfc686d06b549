-- Claim a person for a lead by all of its keys, in key order; false when an equal lead holds one within the window.
CREATE FUNCTION marketplace.claim_person(
    p_vertical smallint, p_keys bytea[], p_lead uuid, p_dedupe_days integer, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_claimed integer;
BEGIN
    INSERT INTO marketplace.person_keys AS k
    SELECT p_vertical, u, p_lead, p_at FROM unnest(p_keys) AS u
    ON CONFLICT (vertical_id, key) DO UPDATE SET lead_id = excluded.lead_id, claimed_at = excluded.claimed_at
        WHERE k.claimed_at + make_interval(days => p_dedupe_days) <= excluded.claimed_at;
    GET DIAGNOSTICS v_claimed = ROW_COUNT;
    RETURN v_claimed = cardinality(p_keys);
END $$;

-- Is one of these persons claimed already? Asked only of a lead that is not sold: a sale finds out by claiming. One key
-- at a time: a search for any of several took about twice as long when measured.
CREATE FUNCTION marketplace.is_claimed(
    p_vertical smallint, p_keys bytea[], p_dedupe_days integer, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_key bytea;
BEGIN
    FOREACH v_key IN ARRAY p_keys LOOP
        PERFORM FROM marketplace.person_keys k
        WHERE k.vertical_id = p_vertical AND k.key = v_key
          AND k.claimed_at + make_interval(days => p_dedupe_days) > p_at;
        IF FOUND THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- The picked candidates in the order of these ids, which is the order in which every writer takes its locks.
CREATE FUNCTION marketplace.in_lock_order(p_picked integer[], p_ids uuid[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF cardinality(p_picked) = 1 THEN
        RETURN p_picked;
    END IF;
    RETURN ARRAY(SELECT n FROM unnest(p_picked) AS n ORDER BY p_ids[n]);
END $$;

-- Apply a chosen set: persons in key order, counters in order-id order, wallets in account-id order, each one
-- conditional statement. Raises LB001 when a member is no longer feasible and LB002 when the person is claimed; the
-- caller's sub-block then rolls everything back and frees the locks.
CREATE FUNCTION marketplace.apply_set(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, d marketplace.deal, p_actor text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n integer;
    v_sale uuid;
BEGIN
    IF NOT marketplace.claim_person(l.vertical_id, r.person_keys, l.id, r.dedupe_days, l.received_at) THEN
        RAISE SQLSTATE 'LB002';
    END IF;
    FOREACH n IN ARRAY marketplace.in_lock_order(d.picked, o.orders) LOOP
        IF NOT marketplace.count_sale(o.orders[n], o.versions[n], o.starts[n * 4 - 3], o.starts[n * 4 - 2],
                                      o.starts[n * 4 - 1], o.starts[n * 4], o.prices[n], l.received_at) THEN
            RAISE SQLSTATE 'LB001';
        END IF;
    END LOOP;
    FOREACH n IN ARRAY marketplace.in_lock_order(d.picked, o.buyers) LOOP
        v_sale := d.sale_ids[array_position(d.picked, n)];
        IF NOT billing.place_hold(v_sale, o.buyers[n], r.currency, o.prices[n], 'cpl', 'sale:' || v_sale || ':hold',
                                  p_actor, l.received_at) THEN
            RAISE SQLSTATE 'LB001';
        END IF;
    END LOOP;
END $$;

-- Sell a lead to the best feasible set, exactly once and within every cap, budget and balance: choose without locks,
-- apply in a sub-block, choose again after a miss. A miss means that somebody else's sale was committed, so it ends.
CREATE FUNCTION marketplace.sell(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers,
    s marketplace.sender)
RETURNS marketplace.deal LANGUAGE plpgsql AS $$
DECLARE
    d marketplace.deal;
    n integer;
BEGIN
    LOOP
        d := marketplace.choose(o, r, t);
        IF d.outcome IN ('more', 'behind') THEN
            RETURN d;
        ELSIF d.outcome <> 'sold' OR l.test OR s.in_batch THEN
            IF marketplace.is_claimed(l.vertical_id, r.person_keys, r.dedupe_days, l.received_at) THEN
                RETURN ROW('duplicate', '{}', '{}', '{}')::marketplace.deal;
            ELSIF d.outcome = 'sold' AND NOT l.test THEN
                d.outcome := 'alone';
            END IF;
            RETURN d;
        END IF;
        FOREACH n IN ARRAY d.picked LOOP
            d.sale_ids := d.sale_ids || uuidv7();
        END LOOP;
        BEGIN
            PERFORM marketplace.apply_set(l, o, r, d, s.actor);
            RETURN d;
        EXCEPTION
            WHEN SQLSTATE 'LB001' THEN NULL;
            WHEN SQLSTATE 'LB002' THEN RETURN ROW('duplicate', '{}', '{}', '{}')::marketplace.deal;
        END;
    END LOOP;
END $$;
