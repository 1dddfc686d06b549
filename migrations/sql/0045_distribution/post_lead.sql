-- Take one well-formed lead in one statement.
-- Returns JSON with an outcome: done, replayed, reused, no_key, or stale, more, behind, alone, after which nothing was
-- done and the caller calls again with a fresh book, more candidates, a later instant, or outside a batch.
-- A good lead whose only candidate is exclusive and has the money goes straight: what judge_lead would do is written
-- out for one sale, in the same order of locks, without choosing and loops, which PostgreSQL sets up anew in every
-- transaction. Whatever comes in between (no room left, the money gone, a person who is known) undoes it, and
-- judge_lead decides.
CREATE OR REPLACE FUNCTION marketplace.post_lead(
    l marketplace.leads, o marketplace.offer, r marketplace.rules, s marketplace.sender)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    SELECT o.sole_order IS NOT NULL AND r.bands IS NULL AND s.idempotency_key IS NULL AND NOT l.test AND NOT s.in_batch
               AND l.reasons = '{}' AND p.standing = 'active' AND v.book_version = o.book_version
               AND (s.key_id IS NULL OR EXISTS (SELECT FROM core.good_key(s.key_id)))
               AND (SELECT f >= o.sole_price FROM billing.spendable(o.sole_buyer, r.currency) AS f) AS is_plain,
           affiliates.payout_of(o.sole_price, p.share_bp, p.min_margin_minor) AS payout, p.reserve_bp, p.reserve_days,
           p.terms_version, r.hold_days + p.extra_hold_days AS hold_days,
           CASE WHEN NOT o.sole_later THEN l.received_at END AS delivered
    INTO t FROM marketplace.verticals v, affiliates.terms_of(l.publisher_id) AS p WHERE v.id = l.vertical_id;
    IF t.is_plain AND t.payout >= r.min_payout THEN
        BEGIN
            RETURN s.answer || marketplace.sell_straight(
                l, o, r, uuidv7(), t.payout, t.payout * t.reserve_bp / 10000, t.reserve_days,
                t.terms_version, t.hold_days,
                CASE WHEN o.sole_later THEN 'held' ELSE 'delivered' END, t.delivered,
                t.delivered + make_interval(days => t.hold_days), s.actor);
        EXCEPTION
            WHEN SQLSTATE 'LB001' OR unique_violation THEN NULL;
        END;
    END IF;
    RETURN marketplace.judge_lead(l, o, r, s);
END $$;
