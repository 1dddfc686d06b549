-- Offer a stored lead once more, and keep what came of it as a decision of its own. The caller holds the lead's lock,
-- offers nobody who has bought it, and says in `f` of which age and past it is; `p_bids` are what the candidates pay for a
-- fresh lead, `p_falls` which of them pay a percentage of that. A lead that was sold before is sold to one buyer more.
-- Returns JSON: outcome sold, unsold, duplicate (the person was sold meanwhile; no decision is kept), behind or stale,
-- publisher_paused, with the sales made.
CREATE FUNCTION marketplace.offer_again(
    f marketplace.further_offers, p_bids bigint[], p_falls boolean[], o marketplace.offer, r marketplace.rules,
    p_actor text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    l marketplace.leads;
    t affiliates.publishers;
    d marketplace.deal;
    v_book bigint;
    v_since timestamptz;  -- whoever was sold after it, as another lead, is not sold again
    n integer;
BEGIN
    SELECT * INTO l FROM marketplace.leads WHERE id = f.lead_id;
    SELECT * INTO t FROM affiliates.terms_of(l.publisher_id);
    SELECT book_version INTO v_book FROM marketplace.verticals WHERE id = l.vertical_id;
    IF v_book IS DISTINCT FROM o.book_version THEN
        RETURN '{"outcome":"stale"}';
    ELSIF t.standing <> 'active' THEN
        RETURN '{"outcome":"publisher_paused"}';
    END IF;
    v_since := least(f.at - make_interval(days => r.dedupe_days), l.received_at - interval '1 microsecond');
    l.received_at := f.at;  -- the sale is made now, by its own terms
    LOOP
        d := marketplace.choose(o, r, t);
        EXIT WHEN d.outcome <> 'sold';
        BEGIN
            FOREACH n IN ARRAY marketplace.in_lock_order(d.picked, o.orders) LOOP
                IF NOT marketplace.count_sale(o.orders[n], o.versions[n], o.starts[n * 4 - 3:n * 4], o.prices[n], f.at,
                                              o.extras -> (n - 1)) THEN
                    RAISE SQLSTATE 'LB001';
                END IF;
                d.sale_ids := d.sale_ids || uuidv7();
            END LOOP;
            PERFORM marketplace.claim_again(l, r.person_keys, v_since);
            PERFORM marketplace.store_sales(l, o, r, t, d);
            IF NOT marketplace.count_buyers(o, d, r.currency) THEN
                RAISE SQLSTATE 'LB001';
            END IF;
            PERFORM marketplace.hold_set(o, d, r.currency, p_actor, f.at);
            EXIT;
        EXCEPTION
            WHEN SQLSTATE 'LB001' THEN NULL;
            WHEN SQLSTATE 'LB002' THEN RETURN '{"outcome":"duplicate"}';
        END;
    END LOOP;
    IF d.outcome NOT IN ('behind', 'more') THEN
        PERFORM marketplace.keep_offer(f, p_bids, p_falls, o, d, p_actor);
    END IF;
    RETURN jsonb_build_object('outcome', d.outcome, 'sales', d.sale_ids, 'buyers',
        ARRAY(SELECT o.buyers[p] FROM unnest(d.picked) AS p), 'tried', concat('[', array_to_string(d.tried, ','), ']')::jsonb);
END $$;

-- Claim a lead's person for it from now on, unless another lead of the same person was sold since `p_since`: as after any
-- sale, nobody sells them as new for the vertical's days.
CREATE FUNCTION marketplace.claim_again(l marketplace.leads, p_keys bytea[], p_since timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    n integer;
BEGIN
    INSERT INTO marketplace.person_keys AS k
    SELECT l.vertical_id, unnest(p_keys), l.id, l.received_at
    ON CONFLICT (vertical_id, key) DO UPDATE SET lead_id = excluded.lead_id, claimed_at = excluded.claimed_at
        WHERE k.claimed_at <= p_since OR k.lead_id = excluded.lead_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n < cardinality(p_keys) THEN
        RAISE SQLSTATE 'LB002';
    END IF;
END $$;

-- Keep the decision of a further offer, its sales beside it and their births.
CREATE FUNCTION marketplace.keep_offer(
    f marketplace.further_offers, p_bids bigint[], p_falls boolean[], o marketplace.offer, d marketplace.deal,
    p_actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_resale smallint;
BEGIN
    f.number := 1 + (SELECT count(*) FROM marketplace.further_offers WHERE lead_id = f.lead_id);
    f.decision := concat('{"book":', o.book_version, ',"outcome":"', d.outcome, '","tried":[',
                         array_to_string(d.tried, ','), ']}');
    INSERT INTO marketplace.further_offers SELECT f.*;
    v_resale := CASE WHEN f.kind IN ('resale', 'returned')
        THEN 1 + coalesce((SELECT max(resale) FROM marketplace.further_sales WHERE lead_id = f.lead_id), 0) ELSE 0 END;
    INSERT INTO marketplace.further_sales (sale_id, offer_id, lead_id, resale, bid_minor, falls)
    SELECT d.sale_ids[i], f.id, f.lead_id, v_resale, p_bids[d.picked[i]], p_falls[d.picked[i]]
    FROM generate_subscripts(d.sale_ids, 1) AS i;
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    SELECT d.sale_ids[i], f.at, CASE WHEN o.later[d.picked[i]] THEN 'new>held' ELSE 'new>delivered' END, p_actor, f.kind
    FROM generate_subscripts(d.sale_ids, 1) AS i;
END $$;
