-- One plain lead and who buys it: what sell_plain takes, in the same order.
CREATE TYPE marketplace.plain_sale AS (
    lead_id uuid, sale_id uuid, publisher_id uuid, vertical_id integer, region text, contact_class text, temperature text,
    score integer, external_id text, source_name text, sold_at timestamptz, details jsonb, contact bytea,
    contact_key integer, order_id uuid, order_version integer, buyer_id uuid, price_minor bigint, later boolean,
    starts bigint[], book_version bigint, currency text, persons bytea[], window_hours integer, hold_days integer,
    min_payout bigint, grace_minutes integer, key_id uuid, actor text, answer text);
-- What the publisher's terms make of it.
CREATE TYPE marketplace.plain_terms AS (
    payout_minor bigint, reserve_minor bigint, reserve_days integer, terms_version integer, days integer,
    delivered_at timestamptz, state text);

-- Find which of these leads can be sold together, and all that follows when they are. One whose buyer has no room or no
-- own funds at this moment is for sell_plain, which asks further; one that is not found at all is no plain lead.
CREATE FUNCTION marketplace.sellable(p_sales marketplace.plain_sale[])
RETURNS TABLE (sold marketplace.plain_sale[], terms marketplace.plain_terms[], news jsonb[], holds billing.new_hold[],
               found uuid[], said text[], any_later boolean)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT array_agg(s) FILTER (WHERE can.pay), array_agg(ROW(
            t.payout, t.payout * p.reserve_bp / 10000, p.reserve_days, p.terms_version, t.days, t.delivered_at, t.state
        )::marketplace.plain_terms) FILTER (WHERE can.pay),
        array_agg(marketplace.news_of_sale(s.lead_id, s.publisher_id, s.buyer_id, s.sold_at)) FILTER (WHERE can.pay),
        array_agg(ROW(s.sale_id, s.buyer_id, s.currency, s.price_minor, 'sale:' || s.sale_id || ':hold', s.actor, s.sold_at
        )::billing.new_hold) FILTER (WHERE can.pay),
        array_agg(s.lead_id), array_agg(CASE WHEN can.pay THEN marketplace.answer_of_sale(
            s.answer, s.sale_id, s.price_minor, t.payout, t.state, t.delivered_at + make_interval(days => t.days))
            ELSE 'alone' END), bool_or(s.later AND can.pay)
    FROM unnest(p_sales) AS s
        JOIN marketplace.verticals v ON v.id = s.vertical_id AND v.book_version = s.book_version
        JOIN marketplace.order_counters c ON c.order_id = s.order_id
        CROSS JOIN LATERAL affiliates.terms_of(s.publisher_id) AS p
        LEFT JOIN LATERAL core.good_key(s.key_id) AS k ON true
        LEFT JOIN LATERAL billing.own_funds(s.buyer_id, s.currency) AS f (minor) ON true
        CROSS JOIN LATERAL (SELECT affiliates.payout_of(s.price_minor, p.share_bp, p.min_margin_minor),
            s.hold_days + p.extra_hold_days, CASE WHEN NOT s.later THEN s.sold_at END,
            CASE WHEN s.later THEN 'held' ELSE 'delivered' END) AS t (payout, days, delivered_at, state)
        CROSS JOIN LATERAL (SELECT marketplace.has_room(c, s.order_version, s.starts, s.price_minor)
            AND coalesce(f.minor >= s.price_minor, false)) AS can (pay)
    WHERE p.standing = 'active' AND (s.key_id IS NULL OR k IS NOT NULL) AND t.payout >= s.min_payout
      AND (SELECT true FROM marketplace.person_keys e WHERE e.vertical_id = s.vertical_id AND e.key = ANY (s.persons)
           LIMIT 1) IS NULL
$$;

-- Count the purchases of each order in its counters, locked in the order of their ids. False when some order has no room
-- for all of its own.
CREATE FUNCTION marketplace.count_sales(p_sold marketplace.plain_sale[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_order uuid; v_version integer; v_starts bigint[]; v_leads bigint; v_spend bigint; v_at timestamptz;
BEGIN
    FOR v_order, v_version, v_starts, v_leads, v_spend, v_at IN
        SELECT s.order_id, s.order_version, s.starts, count(*), sum(s.price_minor), max(s.sold_at)
        FROM unnest(p_sold) AS s GROUP BY 1, 2, 3 ORDER BY 1 LOOP
        UPDATE marketplace.order_counters c SET total_leads = c.total_leads + v_leads,
            total_spend = c.total_spend + v_spend, last_sold_at = greatest(c.last_sold_at, v_at)
        WHERE c.order_id = v_order AND marketplace.has_room(c, v_version, v_starts, v_spend)
          AND (NOT c.limited OR c.total_leads + v_leads <= c.leads_ceiling);
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Put sales down to be delivered, as deliver_later does for one.
CREATE FUNCTION marketplace.deliver_all_later(p_sold marketplace.plain_sale[], p_terms marketplace.plain_terms[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketplace.deliveries (sale_id, lead_id, order_id, order_version, buyer_id, state, next_attempt_at,
        give_up_at, window_hours, hold_days)
    SELECT s.sale_id, s.lead_id, s.order_id, s.order_version, s.buyer_id, 'waiting', s.sold_at,
        s.sold_at + make_interval(mins => s.grace_minutes), s.window_hours, s.days
    FROM ROWS FROM (unnest(p_sold), unnest(p_terms)) AS s WHERE s.later;
    RETURN true;
END $$;

-- Write down leads that are sold, and their sales.
CREATE FUNCTION marketplace.store_sold(p_sold marketplace.plain_sale[], p_terms marketplace.plain_terms[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketplace.person_keys (vertical_id, key, lead_id, claimed_at)
    SELECT s.vertical_id, p.key, s.lead_id, s.sold_at FROM unnest(p_sold) AS s, unnest(s.persons) AS p (key) ORDER BY 1, 2;
    INSERT INTO marketplace.leads (id, publisher_id, vertical_id, region, status, reasons, contact_class, temperature,
        score, test, external_id, source_name, received_at, details, contact, contact_key, decision)
    SELECT s.lead_id, s.publisher_id, s.vertical_id, s.region, 'sold', '{}', s.contact_class, s.temperature, s.score, false,
        s.external_id, s.source_name, s.sold_at, s.details, s.contact, s.contact_key,
        marketplace.decision_of_sale(s.book_version, s.order_id, s.order_version)
    FROM unnest(p_sold) AS s;
    INSERT INTO marketplace.sales (id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency,
        price_minor, payout_minor, reserve_minor, reserve_days, terms_version, sold_at, delivered_at, window_ends_at,
        release_at)
    SELECT s.sale_id, s.lead_id, s.order_id, s.order_version, s.buyer_id, s.publisher_id, s.state, s.currency,
        s.price_minor, s.payout_minor, s.reserve_minor, s.reserve_days, s.terms_version, s.sold_at, s.delivered_at,
        s.delivered_at + make_interval(hours => s.window_hours), s.delivered_at + make_interval(days => s.days)
    FROM ROWS FROM (unnest(p_sold), unnest(p_terms)) AS s;
    INSERT INTO marketplace.events (subject_id, at, move, actor)
    SELECT e.subject_id, s.sold_at, e.move, s.actor
    FROM unnest(p_sold) AS s, LATERAL (VALUES (s.lead_id, 'received>sold'),
        (s.sale_id, CASE WHEN s.later THEN 'new>held' ELSE 'new>delivered' END)) AS e (subject_id, move);
    RETURN true;
END $$;

-- Sell plain leads, each to its only candidate, in one transaction: what sell_plain does for one, a statement a table.
-- Locks are taken in the order of a single sale, and within each kind by id: counters, persons, wallets.
-- Returns the whole answer of each lead that is sold, and `alone` for each that sell_plain is to sell; a lead that it
-- leaves out is for post_lead to decide. When something is taken away in between, or somebody holds a lock for long,
-- nothing is left behind and all are to be sold alone, so that a busy buyer holds up nobody else.
-- Its plans are the same for every call: by its own choice PostgreSQL would plan each anew for its array's length.
CREATE FUNCTION marketplace.sell_together(p_sales marketplace.plain_sale[]) RETURNS TABLE (lead_id uuid, said text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET lock_timeout = '100ms' AS $$
DECLARE
    v record;
BEGIN
    SELECT * INTO v FROM marketplace.sellable(p_sales);
    IF v.sold IS NOT NULL THEN
        PERFORM core.announce_all('notice', v.news);
        IF NOT (marketplace.count_sales(v.sold) AND marketplace.store_sold(v.sold, v.terms)
                AND (NOT v.any_later OR marketplace.deliver_all_later(v.sold, v.terms))
                AND billing.place_new_holds(v.holds, 'cpl')) THEN
            RAISE SQLSTATE 'LB001';
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM unnest(v.found, v.said);
EXCEPTION WHEN SQLSTATE 'LB001' OR unique_violation OR lock_not_available OR deadlock_detected THEN
    RETURN QUERY SELECT s.lead_id, 'alone'::text FROM unnest(p_sales) AS s;
END $$;
