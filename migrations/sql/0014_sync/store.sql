-- Store the sales of a deal with the terms of this moment, each delivered at once, waiting for the courier, or in the
-- hands of the caller; returns them as the answer shows them, as JSON objects side by side, the last kind with "sync".
CREATE OR REPLACE FUNCTION marketplace.store_sales(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, d marketplace.deal)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_hold_days integer := r.hold_days + t.extra_hold_days;
    v_delivered timestamptz;
    v_release timestamptz;
    v_payout bigint;
    v_sales text[] := '{}';
    n integer;
BEGIN
    FOR i IN 1 .. cardinality(d.picked) LOOP
        n := d.picked[i];
        v_payout := affiliates.payout_of(o.prices[n], t.share_bp, t.min_margin_minor);
        v_delivered := CASE WHEN o.later[n] THEN NULL ELSE l.received_at END;
        v_release := v_delivered + make_interval(days => v_hold_days);
        INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency,
            price_minor, payout_minor, reserve_minor, reserve_days, sold_at, delivered_at, window_ends_at, release_at)
        VALUES (d.sale_ids[i], l.id, o.orders[n], o.versions[n], o.buyers[n], l.publisher_id,
            CASE WHEN o.later[n] THEN 'held' ELSE 'delivered' END, r.currency, o.prices[n], v_payout,
            v_payout * t.reserve_bp / 10000, t.reserve_days, l.received_at, v_delivered,
            v_delivered + make_interval(hours => r.window_hours), v_release);
        IF o.later[n] THEN
            INSERT INTO marketplace.deliveries (sale_id, lead_id, order_id, order_version, buyer_id, state,
                lease_until, next_attempt_at, give_up_at, window_hours, hold_days)
            VALUES (d.sale_ids[i], l.id, o.orders[n], o.versions[n], o.buyers[n],
                CASE WHEN o.leases[n] IS NULL THEN 'waiting' ELSE 'in_hand' END, o.leases[n], l.received_at,
                l.received_at + make_interval(mins => r.grace_minutes), r.window_hours, v_hold_days);
        END IF;
        v_sales := v_sales || format('{"id":"%s","price":%s,"payout":%s,"state":"%s","release_at":%s%s}',
                                     d.sale_ids[i], o.prices[n], v_payout,
                                     CASE WHEN o.later[n] THEN 'held' ELSE 'delivered' END,
                                     coalesce(to_json(v_release)::text, 'null'),
                                     CASE WHEN o.leases[n] IS NOT NULL THEN ',"sync":true' END);
    END LOOP;
    RETURN array_to_string(v_sales, ',');
END $$;

-- Store the lead as it was judged, with the story of the decision, the events of the lead and its sales, and the news
-- for all concerned. A lead whose buyers have all yet to accept in the hands of the caller is pending, which is no news.
CREATE OR REPLACE FUNCTION marketplace.store_lead(
    l marketplace.leads, o marketplace.offer, d marketplace.deal, p_actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_accounts uuid[] := ARRAY[l.publisher_id];
    v_moves text[];
    v_in_hand boolean := false;
BEGIN
    IF cardinality(o.leases) > 0 AND l.status = 'sold' THEN
        v_in_hand := NOT EXISTS (SELECT FROM unnest(d.picked) AS n WHERE o.leases[n] IS NULL);
        l.status := CASE WHEN v_in_hand THEN 'pending' ELSE 'sold' END;
    END IF;
    v_moves := ARRAY['received>' || l.status];
    l.decision := concat('{"book":', o.book_version, ',"outcome":"', d.outcome, '","tried":[',
                         array_to_string(d.tried, ','), ']}');
    IF l.status = 'sold' OR v_in_hand THEN
        FOR i IN 1 .. cardinality(d.picked) LOOP
            v_accounts := v_accounts || o.buyers[d.picked[i]];
            v_moves := v_moves || CASE WHEN o.later[d.picked[i]] THEN 'new>held' ELSE 'new>delivered' END;
        END LOOP;
    END IF;
    INSERT INTO marketplace.leads SELECT l.*;
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    SELECT u, l.received_at, v_move, p_actor,
           CASE u WHEN l.id THEN nullif(array_to_string(l.reasons, ','), '') END
    FROM (SELECT unnest(l.id || d.sale_ids) AS u, unnest(v_moves) AS v_move) AS subject;
    IF NOT v_in_hand THEN
        PERFORM core.announce('notice', jsonb_build_object(
            'event', 'lead.' || l.status, 'at', l.received_at, 'accounts', v_accounts,
            'data', jsonb_build_object('lead', l.id, 'reasons', l.reasons)));
    END IF;
END $$;
