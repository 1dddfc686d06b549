-- Work out what a request makes of its hold; share and reserve without money name nobody and no day.
-- Promotional credit is spent in proportion and the rest of a cent is spent, never given back:
-- of a release r from a hold a with promo p, floor(p * r / a) goes back to promo, so a full release restores all.
CREATE FUNCTION billing.resolution_of(p_hold billing.holds, p_request billing.hold_request)
RETURNS billing.hold_resolutions IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
    v billing.hold_resolutions;
BEGIN
    v.hold_id := p_hold.id;
    v.captured_minor := p_request.capture_minor;
    v.released_minor := p_hold.amount_minor - p_request.capture_minor;
    v.released_promo_minor := div(p_hold.promo_minor::numeric * v.released_minor, p_hold.amount_minor);
    v.share_minor := coalesce(p_request.share_minor, 0);
    v.reserve_minor := coalesce(p_request.reserve_minor, 0);
    v.earner_id := CASE WHEN v.share_minor > 0 THEN p_request.earner_id END;
    v.reserve_until := CASE WHEN v.reserve_minor > 0 THEN p_request.reserve_until END;
    v.outcome := CASE
        WHEN v.released_minor = 0 THEN 'captured'
        WHEN v.captured_minor > 0 THEN 'split'
        WHEN p_request.reason = 'expired' THEN 'expired'
        ELSE 'released' END;
    RETURN v;
END $$;
