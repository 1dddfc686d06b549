-- The answer kept under the sender's Idempotency-Key, as the outcome that ends the call; NULL when the key is ours.
CREATE FUNCTION marketplace.kept_answer(s marketplace.sender) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_kept core.idempotency := core.claim_key(s.account_id, s.route, s.idempotency_key, s.now);
BEGIN
    IF v_kept.key IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('answer', v_kept.answer, 'status', v_kept.status,
                              'outcome', CASE v_kept.fingerprint WHEN s.fingerprint THEN 'replayed' ELSE 'reused' END);
END $$;

-- Take one well-formed lead in one statement: judge what only the database knows, sell it, store it with the story of
-- the decision, its events and its news, and keep the answer under the sender's Idempotency-Key.
-- Returns JSON with an outcome: done, replayed, reused, no_key, or stale, more, behind, alone, after which nothing was
-- done and the caller calls again with a fresh book, more candidates, a later instant, or outside a batch.
CREATE FUNCTION marketplace.post_lead(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, s marketplace.sender)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t affiliates.publishers;
    d marketplace.deal := ROW('rejected', '{}', '{}', '{}', '');
    v_key_is_good boolean;
    v_book bigint;
    v_first_has_funds boolean;
    v_answer text;
BEGIN
    SELECT p.*, s.key_id IS NULL OR k IS NOT NULL, v.book_version,  -- an operator's import has no key
           f.minor >= o.prices[1]
    INTO t.account_id, t.standing, t.tier, t.share_bp, t.extra_hold_days, t.reserve_bp, t.reserve_days,
         t.min_margin_minor, t.changed_at, v_key_is_good, v_book, v_first_has_funds
    FROM marketplace.verticals v LEFT JOIN core.good_key(s.key_id) AS k ON true
        LEFT JOIN affiliates.terms_of(l.publisher_id) AS p ON true
        LEFT JOIN billing.spendable(o.buyers[1], r.currency) AS f (minor) ON true
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
        d := marketplace.sell(l, o, r, t, s.actor, s.in_batch, v_first_has_funds);
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
