-- Take a sale that came to nothing out of its order's counters: of the totals, and of each period that it was counted
-- in; where a later period has begun since, that one began with one sale less.
CREATE FUNCTION marketplace.uncount_sale(p_order uuid, p_price bigint, p_sold_at timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE marketplace.order_counters o SET
        total_leads = o.total_leads - 1, total_spend = o.total_spend - p_price,
        leads_before = b.leads, spend_before = b.spend,
        leads_ceiling = marketplace.ceiling(o.caps, b.leads), spend_ceiling = marketplace.ceiling(o.budgets, b.spend)
    FROM marketplace.order_counters c, LATERAL (
        SELECT array_agg(c.leads_before[s.n] - (p_sold_at < to_timestamp(s.start))::integer ORDER BY s.n) AS leads,
               array_agg(c.spend_before[s.n] - CASE WHEN p_sold_at < to_timestamp(s.start) THEN p_price ELSE 0 END
                         ORDER BY s.n) AS spend
        FROM unnest(c.starts) WITH ORDINALITY AS s (start, n)) AS b
    WHERE o.order_id = p_order AND c.order_id = p_order
$$;

-- Sell a stored lead once more, to the best feasible one of these candidates, after a sale of it came to nothing. The
-- caller holds the lead's lock, and offers nobody who has bought it and nobody whom the present buyers exclude.
-- Returns JSON: outcome sold, unsold, more, behind or stale, the sale when there is one, and the story of each one tried.
CREATE FUNCTION marketplace.sell_again(
    p_lead uuid, o marketplace.offer, r marketplace.rules, p_actor text, p_at timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    l marketplace.leads;
    t affiliates.publishers;
    d marketplace.deal;
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
        d := marketplace.choose(o, r.currency, r.min_payout, t.share_bp, t.min_margin_minor);
        IF d.outcome <> 'sold' THEN
            EXIT;
        END IF;
        d.sale_ids := ARRAY[uuidv7()];
        BEGIN
            IF NOT marketplace.count_sale(o.orders[d.picked[1]], o.versions[d.picked[1]],
                    o.starts[d.picked[1] * 4 - 3:d.picked[1] * 4], o.prices[d.picked[1]], p_at) THEN
                RAISE SQLSTATE 'LB001';
            END IF;
            PERFORM marketplace.store_sales(l, o, r, t, d);
            PERFORM marketplace.hold_set(o, d, r.currency, p_actor, p_at);
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
