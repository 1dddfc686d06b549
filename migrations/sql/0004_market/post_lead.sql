-- Store the sales of a deal, delivered at once (the buyer reads them in the portal), with the terms of this moment;
-- returns them as the answer shows them.
CREATE FUNCTION marketplace.store_sales(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, t affiliates.publishers, d marketplace.deal)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_release timestamptz := l.received_at + make_interval(days => r.hold_days + t.extra_hold_days);
    v_window timestamptz := l.received_at + make_interval(hours => r.window_hours);
    v_payout bigint;
    v_sales jsonb := '[]';
    n integer;
BEGIN
    FOR i IN 1 .. cardinality(d.picked) LOOP
        n := d.picked[i];
        v_payout := affiliates.payout_of(o.prices[n], t.share_bp, t.min_margin_minor);
        INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency,
            price_minor, payout_minor, reserve_minor, reserve_days, sold_at, delivered_at, window_ends_at, release_at)
        VALUES (d.sale_ids[i], l.id, o.orders[n], o.versions[n], o.buyers[n], l.publisher_id, 'delivered', r.currency,
            o.prices[n], v_payout, v_payout * t.reserve_bp / 10000, t.reserve_days, l.received_at, l.received_at,
            v_window, v_release);
        v_sales := v_sales || jsonb_build_object('id', d.sale_ids[i], 'price', o.prices[n], 'payout', v_payout,
                                                 'state', 'delivered', 'release_at', v_release);
    END LOOP;
    RETURN v_sales;
END $$;

-- Store the lead as it was judged, with the story of the decision, the events of the lead and its sales, and the news
-- for all concerned.
CREATE FUNCTION marketplace.store_lead(
    l marketplace.leads, o marketplace.offer, d marketplace.deal, p_actor text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_accounts uuid[] := ARRAY[l.publisher_id];
BEGIN
    INSERT INTO marketplace.leads VALUES (l.id, l.publisher_id, l.vertical_id, l.region, l.status, l.reasons,
        l.contact_class, l.temperature, l.score, l.test, l.external_id, l.source_name, l.received_at, l.details,
        l.contact, l.contact_key, concat('{"book":', o.book_version, ',"outcome":"', d.outcome, '","tried":[',
                                         array_to_string(d.tried, ','), ']}')::json);
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    SELECT u, l.received_at, CASE u WHEN l.id THEN 'received>' || l.status ELSE 'new>delivered' END, p_actor,
           CASE u WHEN l.id THEN nullif(array_to_string(l.reasons, ','), '') END
    FROM unnest(l.id || d.sale_ids) AS u;
    IF l.status = 'sold' THEN
        FOR i IN 1 .. cardinality(d.picked) LOOP
            v_accounts := v_accounts || o.buyers[d.picked[i]];
        END LOOP;
    END IF;
    PERFORM core.announce('notice', jsonb_build_object(
        'event', 'lead.' || l.status, 'at', l.received_at, 'accounts', v_accounts,
        'data', jsonb_build_object('lead', l.id, 'reasons', l.reasons)));
END $$;

-- Whether the sender may go on: NULL, or the answer that ends the call before anything is done.
CREATE FUNCTION marketplace.turned_back(
    p_vertical smallint, p_book bigint, s marketplace.sender) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_kept core.idempotency;
BEGIN
    IF s.key_id IS NOT NULL AND NOT core.key_is_good(s.key_id) THEN  -- an operator's import has no key
        RETURN '{"outcome": "no_key"}';
    ELSIF s.idempotency_key IS NOT NULL THEN
        v_kept := core.claim_key(s.account_id, s.route, s.idempotency_key, s.now);
        IF v_kept.key IS NOT NULL THEN
            RETURN jsonb_build_object('answer', v_kept.answer, 'status', v_kept.status,
                'outcome', CASE v_kept.fingerprint WHEN s.fingerprint THEN 'replayed' ELSE 'reused' END);
        END IF;
    END IF;
    IF p_book IS DISTINCT FROM (SELECT book_version FROM marketplace.verticals WHERE id = p_vertical) THEN
        RETURN '{"outcome": "stale"}';
    END IF;
    RETURN NULL;
END $$;

-- Take one well-formed lead in one statement: judge what only the database knows, sell it, store it with the story of
-- the decision, its events and its news, and keep the answer under the sender's Idempotency-Key.
-- Returns {"outcome": ...}: done, replayed, reused, no_key, or stale, more, behind, alone, after which nothing was
-- done and the caller calls again with a fresh book, more candidates, a later instant, or outside a batch.
CREATE FUNCTION marketplace.post_lead(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, s marketplace.sender)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    t affiliates.publishers := affiliates.terms_of(l.publisher_id);
    d marketplace.deal := ROW('rejected', '{}', '{}', '{}');
    v_sales jsonb := '[]';
    v_answer jsonb := marketplace.turned_back(l.vertical_id, o.book_version, s);
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    ELSIF t.standing <> 'active' THEN
        l.reasons := l.reasons || 'publisher_paused'::text;
    END IF;
    IF l.reasons = '{}' THEN
        d := marketplace.sell(l, o, r, t, s);
        IF d.outcome IN ('more', 'behind', 'alone') THEN
            RETURN jsonb_build_object('outcome', d.outcome);
        ELSIF d.outcome = 'duplicate' OR l.test THEN
            l.reasons := l.reasons || CASE d.outcome WHEN 'duplicate' THEN d.outcome ELSE 'test' END;
        END IF;
    END IF;
    l.status := CASE WHEN d.outcome IN ('rejected', 'duplicate') THEN 'rejected'
                     WHEN d.outcome = 'sold' AND NOT l.test THEN 'sold' ELSE 'unsold' END;
    PERFORM marketplace.store_lead(l, o, d, s.actor);
    IF l.status = 'sold' THEN
        v_sales := marketplace.store_sales(l, o, r, t, d);
    END IF;
    v_answer := s.answer || jsonb_build_object('outcome', 'done', 'status', l.status, 'reasons', l.reasons,
                                               'sales', v_sales);
    IF s.idempotency_key IS NOT NULL THEN
        PERFORM core.keep_answer(s.account_id, s.route, s.idempotency_key, s.fingerprint, 201::smallint, v_answer,
                                 s.now);
    END IF;
    RETURN v_answer;
END $$;
