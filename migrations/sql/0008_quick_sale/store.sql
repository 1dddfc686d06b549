-- Store the sales of a deal, delivered at once (the buyer reads them in the portal), with the terms of this moment;
-- returns them as the answer shows them, as JSON objects side by side.
CREATE FUNCTION marketplace.store_sales(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, d marketplace.deal)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_release timestamptz := l.received_at + make_interval(days => r.hold_days + t.extra_hold_days);
    v_payout bigint;
    v_sales text[] := '{}';
    n integer;
BEGIN
    FOR i IN 1 .. cardinality(d.picked) LOOP
        n := d.picked[i];
        v_payout := affiliates.payout_of(o.prices[n], t.share_bp, t.min_margin_minor);
        INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency,
            price_minor, payout_minor, reserve_minor, reserve_days, sold_at, delivered_at, window_ends_at, release_at)
        VALUES (d.sale_ids[i], l.id, o.orders[n], o.versions[n], o.buyers[n], l.publisher_id, 'delivered', r.currency,
            o.prices[n], v_payout, v_payout * t.reserve_bp / 10000, t.reserve_days, l.received_at, l.received_at,
            l.received_at + make_interval(hours => r.window_hours), v_release);
        v_sales := v_sales || format('{"id":"%s","price":%s,"payout":%s,"state":"delivered","release_at":%s}',
                                     d.sale_ids[i], o.prices[n], v_payout, to_json(v_release));
    END LOOP;
    RETURN array_to_string(v_sales, ',');
END $$;

-- Store the lead as it was judged, with the story of the decision, the events of the lead and its sales, and the news
-- for all concerned.
CREATE FUNCTION marketplace.store_lead(
    l marketplace.leads, o marketplace.offer, d marketplace.deal, p_actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_accounts uuid[] := ARRAY[l.publisher_id];
BEGIN
    l.decision := concat('{"book":', o.book_version, ',"outcome":"', d.outcome, '","tried":[',
                         array_to_string(d.tried, ','), ']}');
    INSERT INTO marketplace.leads SELECT l.*;
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    SELECT u, l.received_at, CASE u WHEN l.id THEN 'received>' || l.status ELSE 'new>delivered' END, p_actor,
           CASE u WHEN l.id THEN nullif(array_to_string(l.reasons, ','), '') END
    FROM (SELECT unnest(l.id || d.sale_ids) AS u) AS subject;
    IF l.status = 'sold' THEN
        FOR i IN 1 .. cardinality(d.picked) LOOP
            v_accounts := v_accounts || o.buyers[d.picked[i]];
        END LOOP;
    END IF;
    PERFORM core.announce('notice', jsonb_build_object(
        'event', 'lead.' || l.status, 'at', l.received_at, 'accounts', v_accounts,
        'data', jsonb_build_object('lead', l.id, 'reasons', l.reasons)));
END $$;
