-- Sell one plain lead to its only candidate: what post_lead would do is written out for one sale, in the same order of
-- locks, without choosing and loops, and in scalars, which PostgreSQL takes apart nowhere. Plain is a lead without
-- reasons, no test, posted without an Idempotency-Key (an operator's import has no key either), whose consent is for no
-- resale, in a vertical without margins by band, and a candidate that is exclusive and has no other limits than caps and
-- budgets. Its ids are the caller's: PostgreSQL opens a file to make one.
-- Returns the whole answer; NULL when something else is to be said than that it is sold, and '' when the candidate had no
-- room left or no money. Both leave nothing behind, and post_lead decides.
CREATE FUNCTION marketplace.sell_plain(
    p_lead uuid, p_sale uuid, p_publisher uuid, p_vertical integer, p_region text, p_class text, p_temperature text,
    p_score integer, p_external_id text, p_source text, p_at timestamptz, p_details jsonb, p_contact bytea,
    p_contact_key integer, p_order uuid, p_version integer, p_buyer uuid, p_price bigint, p_later boolean, p_starts bigint[], p_book bigint,
    p_currency text, p_persons bytea[], p_window_hours integer, p_hold_days integer, p_min_payout bigint,
    p_grace_minutes integer, p_key uuid, p_actor text, p_answer text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text := CASE WHEN p_later THEN 'held' ELSE 'delivered' END;
    v_delivered timestamptz := CASE WHEN NOT p_later THEN p_at END;
    v_payout bigint; v_reserve bigint; v_reserve_days integer; v_terms integer; v_days integer; v_release timestamptz;
BEGIN
    SELECT t.payout, t.payout * p.reserve_bp / 10000, p.reserve_days, p.terms_version, p_hold_days + p.extra_hold_days,
           v_delivered + make_interval(days => p_hold_days + p.extra_hold_days)
    INTO v_payout, v_reserve, v_reserve_days, v_terms, v_days, v_release
    FROM marketplace.verticals v JOIN affiliates.terms_of(p_publisher) AS p ON p.standing = 'active'
        LEFT JOIN core.good_key(p_key) AS k ON true
        CROSS JOIN LATERAL (SELECT affiliates.payout_of(p_price, p.share_bp, p.min_margin_minor) AS payout) AS t
    WHERE v.id = p_vertical AND v.book_version = p_book AND (p_key IS NULL OR k IS NOT NULL) AND t.payout >= p_min_payout;
    IF v_payout IS NULL THEN RETURN NULL; END IF;
    UPDATE marketplace.order_counters c SET total_leads = c.total_leads + 1, total_spend = c.total_spend + p_price,
        last_sold_at = greatest(c.last_sold_at, p_at)
    WHERE c.order_id = p_order AND marketplace.has_room(c, p_version, p_starts, p_price);
    IF NOT FOUND AND NOT marketplace.count_sale(p_order, p_version, p_starts, p_price, p_at, NULL) THEN  -- an hour began?
        RAISE SQLSTATE 'LB001';
    END IF;
    INSERT INTO marketplace.person_keys (vertical_id, key, lead_id, claimed_at)
    SELECT p_vertical, unnest(p_persons), p_lead, p_at;
    INSERT INTO marketplace.leads (id, publisher_id, vertical_id, region, status, reasons, contact_class, temperature,
        score, test, external_id, source_name, received_at, details, contact, contact_key, decision)
    VALUES (p_lead, p_publisher, p_vertical, p_region, 'sold', '{}', p_class, p_temperature, p_score, false, p_external_id,
        p_source, p_at, p_details, p_contact, p_contact_key, marketplace.decision_of_sale(p_book, p_order, p_version));
    INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency,
        price_minor, payout_minor, reserve_minor, reserve_days, terms_version, sold_at, delivered_at, window_ends_at,
        release_at)
    VALUES (p_sale, p_lead, p_order, p_version, p_buyer, p_publisher, v_state, p_currency, p_price, v_payout, v_reserve,
        v_reserve_days, v_terms, p_at, v_delivered, v_delivered + make_interval(hours => p_window_hours), v_release);
    INSERT INTO marketplace.events (subject_id, at, move, actor)
    VALUES (p_lead, p_at, 'received>sold', p_actor), (p_sale, p_at, 'new>' || v_state, p_actor);
    IF p_later THEN
        PERFORM marketplace.deliver_later(p_sale, p_lead, p_order, p_version, p_buyer, p_at, p_grace_minutes,
                                          p_window_hours, v_days);
    END IF;
    IF NOT (core.announce('notice', marketplace.news_of_sale(p_lead, p_publisher, p_buyer, p_at))
            AND billing.place_new_hold(p_sale, p_buyer, p_currency, p_price, 'cpl', 'sale:' || p_sale || ':hold',
                                       p_actor, p_at)) THEN
        RAISE SQLSTATE 'LB001';
    END IF;
    RETURN marketplace.answer_of_sale(p_answer, p_sale, p_price, v_payout, v_state, v_release);
EXCEPTION WHEN SQLSTATE 'LB001' THEN RETURN ''; WHEN unique_violation THEN RETURN NULL;
END $$;
