-- Take one well-formed lead with all that may become of it: judge what only the database knows, sell it, store it with
-- the story of the decision, its events and its news, and keep the answer under the sender's Idempotency-Key.
-- Returns JSON with an outcome: done, replayed, reused, no_key, or stale, more, behind, alone, after which nothing was
-- done and the caller calls again with a fresh book, more candidates, a later instant, or outside a batch.
CREATE OR REPLACE FUNCTION marketplace.post_lead(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, s marketplace.sender)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t affiliates.publishers;
    d marketplace.deal := ROW('rejected', '{}', '{}', '{}', '', NULL);
    v_key_is_good boolean;
    v_book bigint;
    v_answer text;
BEGIN
    SELECT p.*, s.key_id IS NULL OR k IS NOT NULL, v.book_version  -- an operator's import has no key
    INTO t.account_id, t.standing, t.tier, t.share_bp, t.extra_hold_days, t.reserve_bp, t.reserve_days,
         t.min_margin_minor, t.changed_at, t.terms_version, v_key_is_good, v_book
    FROM marketplace.verticals v LEFT JOIN core.good_key(s.key_id) AS k ON true
        LEFT JOIN affiliates.terms_of(l.publisher_id) AS p ON true
    WHERE v.id = l.vertical_id;
    v_answer := CASE WHEN NOT v_key_is_good THEN '{"outcome":"no_key"}'
                     WHEN s.idempotency_key IS NOT NULL THEN marketplace.kept_answer(s) END;
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    ELSIF v_book IS DISTINCT FROM o.book_version THEN
        RETURN '{"outcome":"stale"}';
    ELSIF t.standing <> 'active' THEN
        l.reasons := l.reasons || 'publisher_paused'::text;
    END IF;
    IF l.reasons = '{}' THEN
        d := marketplace.sell(l, o, r, t, s.actor, s.in_batch);
        IF d.outcome IN ('more', 'behind', 'alone') THEN
            RETURN concat('{"outcome":"', d.outcome, '"}');
        ELSIF d.outcome = 'duplicate' OR l.test THEN
            l.reasons := l.reasons || CASE d.outcome WHEN 'duplicate' THEN d.outcome ELSE 'test' END;
        END IF;
    END IF;
    l.status := CASE WHEN d.outcome IN ('rejected', 'duplicate') THEN 'rejected'
                     WHEN d.sale_ids <> '{}' THEN 'sold' ELSE 'unsold' END;
    IF l.status <> 'sold' THEN  -- a sold one is stored already
        PERFORM marketplace.store_lead(l, o, d, s.actor);
    END IF;
    v_answer := format('%s,"outcome":"done","status":"%s","reasons":%s,"sales":[%s]}', s.answer, l.status,
                       array_to_json(l.reasons), d.sales);
    IF s.idempotency_key IS NOT NULL THEN
        PERFORM core.keep_answer(s.account_id, s.route, s.idempotency_key, s.fingerprint, 201::smallint,
                                 v_answer::jsonb, s.now);
    END IF;
    RETURN v_answer;
END $$;

DROP FUNCTION marketplace.judge_lead;
DROP FUNCTION marketplace.sell_straight;
ALTER TYPE marketplace.offer DROP ATTRIBUTE sole_order, DROP ATTRIBUTE sole_version, DROP ATTRIBUTE sole_buyer,
    DROP ATTRIBUTE sole_price, DROP ATTRIBUTE sole_later;
