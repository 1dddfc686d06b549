-- Write the resolutions that nobody wrote before, in hold order, and return their holds; the losers wait and miss.
-- A capture above its hold is not written: resolve_holds answers `conflict` for it.
CREATE FUNCTION billing.claim_resolutions(p_requests billing.hold_request[], p_at timestamptz)
RETURNS uuid[] LANGUAGE sql AS $$
    WITH claimed AS (
        INSERT INTO billing.hold_resolutions (
            hold_id, outcome, captured_minor, released_minor, released_promo_minor,
            earner_id, share_minor, reserve_minor, reserve_until, transaction_id, resolved_at)
        SELECT v.hold_id, v.outcome, v.captured_minor, v.released_minor, v.released_promo_minor,
               v.earner_id, v.share_minor, v.reserve_minor, v.reserve_until, uuidv7(), p_at
        FROM unnest(p_requests) r
        JOIN billing.holds h ON h.id = r.hold_id
        CROSS JOIN LATERAL billing.resolution_of(h, r::billing.hold_request) v
        WHERE r.capture_minor <= h.amount_minor
        ORDER BY v.hold_id
        ON CONFLICT (hold_id) DO NOTHING
        RETURNING hold_id)
    SELECT coalesce(array_agg(c.hold_id), '{}') FROM claimed c;
$$;
