-- End many holds at once: capture a part, release the rest, share the captured part; once each, whoever asks how often.
-- States: resolved (by this call), repeated (the same was done before), conflict (something else was done before, or
-- more is asked than was held), missing (no such hold). Two requests for one hold in a batch raise unique_violation.
CREATE FUNCTION billing.resolve_holds(p_requests billing.hold_request[], p_actor text, p_at timestamptz)
RETURNS SETOF billing.hold_outcome LANGUAGE plpgsql AS $$
DECLARE
    v_claimed uuid[];
BEGIN
    IF EXISTS (SELECT FROM unnest(p_requests) r
               WHERE r.hold_id IS NULL OR r.capture_minor IS NULL OR r.capture_minor < 0) THEN
        RAISE EXCEPTION 'a request names its hold and captures nothing or more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_resolutions_captured_check';
    END IF;
    IF EXISTS (SELECT FROM unnest(p_requests) r GROUP BY r.hold_id HAVING count(*) > 1) THEN
        RAISE EXCEPTION 'a batch asks twice for one hold'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'hold_resolutions_pkey';
    END IF;
    v_claimed := billing.claim_resolutions(p_requests, p_at);
    IF cardinality(v_claimed) > 0 THEN
        PERFORM billing.post_resolutions(v_claimed, p_requests, p_actor, p_at);
        PERFORM billing.move_resolved_balances(v_claimed);
    END IF;
    RETURN QUERY
    SELECT r.hold_id, CASE
        WHEN r.hold_id = ANY (v_claimed) THEN 'resolved'
        WHEN h.id IS NULL THEN 'missing'
        WHEN (v.captured_minor, v.share_minor, v.reserve_minor) = (w.captured_minor, w.share_minor, w.reserve_minor)
            AND (v.earner_id, v.reserve_until) IS NOT DISTINCT FROM (w.earner_id, w.reserve_until) THEN 'repeated'
        ELSE 'conflict' END
    FROM unnest(p_requests) WITH ORDINALITY
        AS r (hold_id, capture_minor, earner_id, share_minor, reserve_minor, reserve_until, reason, place)
    LEFT JOIN billing.holds h ON h.id = r.hold_id
    LEFT JOIN billing.hold_resolutions v ON v.hold_id = r.hold_id
    LEFT JOIN LATERAL billing.resolution_of(h, ROW(
        r.hold_id, r.capture_minor, r.earner_id, r.share_minor, r.reserve_minor, r.reserve_until, r.reason
    )::billing.hold_request) w ON h.id IS NOT NULL
    ORDER BY r.place;
END $$;
