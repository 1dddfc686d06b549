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
        v_payout := marketplace.paid(o.prices[n], t.share_bp, t.min_margin_minor, r.bands);
        v_delivered := CASE WHEN o.later[n] THEN NULL ELSE l.received_at END;
        v_release := v_delivered + make_interval(days => v_hold_days);
        INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency,
            price_minor, payout_minor, reserve_minor, reserve_days, terms_version, sold_at, delivered_at,
            window_ends_at, release_at, bands)
        VALUES (d.sale_ids[i], l.id, o.orders[n], o.versions[n], o.buyers[n], l.publisher_id,
            CASE WHEN o.later[n] THEN 'held' ELSE 'delivered' END, r.currency, o.prices[n], v_payout,
            v_payout * t.reserve_bp / 10000, t.reserve_days, t.terms_version, l.received_at, v_delivered,
            v_delivered + make_interval(hours => r.window_hours), v_release, r.bands);
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
