DROP FUNCTION marketplace.sell;

-- Sell a lead to the best feasible set, exactly once and within every cap, budget and balance: choose without locks,
-- then apply in a sub-block: count in the orders, claim the person by all of its keys, store all, hold the money; each
-- takes its locks in the order of ids, and wallets come last, since others wait for them most. A member that is no
-- longer feasible raises LB001: the sub-block rolls back and frees the locks, and it chooses again; that ends, since
-- each miss means that somebody else's sale was committed. A lead that is not sold is not stored here.
CREATE FUNCTION marketplace.sell(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, p_actor text,
    p_in_batch boolean) RETURNS marketplace.deal LANGUAGE plpgsql AS $$
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
