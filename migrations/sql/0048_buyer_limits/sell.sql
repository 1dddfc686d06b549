-- Sell a lead to the best feasible set, exactly once and within every cap, budget and balance: choose without locks,
-- then apply in a sub-block: count in the orders, claim the person by all of its keys, store all, count for buyers with
-- limits, hold the money; each takes its locks in the order of ids, and wallets come last, since others wait for them
-- most. A member that is no
-- longer feasible raises LB001: the sub-block rolls back and frees the locks, and it chooses again; that ends, since
-- each miss means that somebody else's sale was committed. A lead that is not sold is not stored here.
CREATE OR REPLACE FUNCTION marketplace.sell(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, p_actor text,
    p_in_batch boolean) RETURNS marketplace.deal LANGUAGE plpgsql AS $$
DECLARE
    d marketplace.deal;
    v_since timestamptz := l.received_at - make_interval(days => r.dedupe_days);
    v_sold marketplace.offer;  -- at the prices of this moment
    n integer;
BEGIN
    LOOP
        d := marketplace.choose(o, r, t);
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
                    o.orders[n], o.versions[n], o.starts[n * 4 - 3:n * 4], coalesce(d.prices[n], o.prices[n]),
                    l.received_at, o.extras -> (n - 1)) THEN
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
            v_sold := o;
            v_sold.prices := coalesce(d.prices, o.prices);
            d.sales := marketplace.store_sales(l, v_sold, r, t, d);
            IF NOT marketplace.count_buyers(v_sold, d, r.currency) THEN
                RAISE SQLSTATE 'LB001';
            END IF;
            PERFORM marketplace.hold_set(v_sold, d, r.currency, p_actor, l.received_at);
            RETURN d;
        EXCEPTION
            WHEN SQLSTATE 'LB001' THEN NULL;
            WHEN SQLSTATE 'LB002' THEN RETURN ROW('duplicate', '{}', '{}', '{}', '', NULL)::marketplace.deal;
        END;
    END LOOP;
END $$;

-- Sell a stored lead once more, to the best feasible one of these candidates, after a sale of it came to nothing. The
-- caller holds the lead's lock, and offers nobody who has bought it and nobody whom the present buyers exclude.
-- Returns JSON: outcome sold, unsold, more, behind or stale, the sale when there is one, and the story of each one tried.
CREATE OR REPLACE FUNCTION marketplace.sell_again(
    p_lead uuid, o marketplace.offer, r marketplace.rules, p_actor text, p_at timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    l marketplace.leads;
    t affiliates.publishers;
    d marketplace.deal;
    v_sold marketplace.offer;  -- at the prices of this moment
    v_book bigint;
BEGIN
    SELECT * INTO l FROM marketplace.leads WHERE id = p_lead;
    SELECT * INTO t FROM affiliates.terms_of(l.publisher_id);
    SELECT book_version INTO v_book FROM marketplace.verticals WHERE id = l.vertical_id;
    IF v_book IS DISTINCT FROM o.book_version THEN
        RETURN '{"outcome":"stale"}';
    END IF;
    l.received_at := p_at;  -- the sale is made now, by its own terms
    LOOP
        d := marketplace.choose(o, r, t);
        IF d.outcome <> 'sold' THEN
            EXIT;
        END IF;
        d.sale_ids := ARRAY[uuidv7()];
        BEGIN
            IF NOT marketplace.count_sale(o.orders[d.picked[1]], o.versions[d.picked[1]],
                    o.starts[d.picked[1] * 4 - 3:d.picked[1] * 4],
                    coalesce(d.prices[d.picked[1]], o.prices[d.picked[1]]), p_at, o.extras -> (d.picked[1] - 1)) THEN
                RAISE SQLSTATE 'LB001';
            END IF;
            v_sold := o;
            v_sold.prices := coalesce(d.prices, o.prices);
            PERFORM marketplace.store_sales(l, v_sold, r, t, d);
            IF NOT marketplace.count_buyers(v_sold, d, r.currency) THEN
                RAISE SQLSTATE 'LB001';
            END IF;
            PERFORM marketplace.hold_set(v_sold, d, r.currency, p_actor, p_at);
            INSERT INTO marketplace.events (subject_id, at, move, actor)
            VALUES (d.sale_ids[1], p_at, CASE WHEN o.later[d.picked[1]] THEN 'new>held' ELSE 'new>delivered' END, p_actor);
            EXIT;
        EXCEPTION
            WHEN SQLSTATE 'LB001' THEN NULL;
        END;
    END LOOP;
    RETURN jsonb_build_object('outcome', d.outcome, 'sale', d.sale_ids[1],
                              'tried', concat('[', array_to_string(d.tried, ','), ']')::jsonb);
END $$;
