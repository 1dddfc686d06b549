-- Say a publisher's terms anew, for whatever is sold from the commit on. p_seen is the version that the caller has read,
-- 0 to open the publisher: false, and nothing done, when somebody else said something since.
CREATE FUNCTION affiliates.change_terms(
    p_account uuid, p_seen integer, p_tier text, p_is_pinned boolean, p_tier_terms jsonb, p_own jsonb, p_reason text,
    p_actor text, p_at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    SELECT * INTO t FROM jsonb_to_record(p_tier_terms || p_own) AS t (
        share_bp integer, extra_hold_days integer, reserve_bp integer, reserve_days integer, min_margin_minor bigint);
    IF p_seen = 0 THEN
        INSERT INTO affiliates.publishers (account_id, standing, tier, share_bp, extra_hold_days, reserve_bp,
            reserve_days, min_margin_minor, changed_at, terms_version)
        VALUES (p_account, 'active', p_tier, t.share_bp, t.extra_hold_days, t.reserve_bp, t.reserve_days,
            t.min_margin_minor, p_at, 1);
    ELSE
        UPDATE affiliates.publishers p
        SET tier = p_tier, share_bp = t.share_bp, extra_hold_days = t.extra_hold_days, reserve_bp = t.reserve_bp,
            reserve_days = t.reserve_days, min_margin_minor = t.min_margin_minor, terms_version = p_seen + 1
        WHERE p.account_id = p_account AND p.terms_version = p_seen;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    INSERT INTO affiliates.terms_versions (account_id, version, tier, is_pinned, tier_terms, own, changed_at, actor, reason)
    VALUES (p_account, p_seen + 1, p_tier, p_is_pinned, p_tier_terms, p_own, p_at, p_actor, p_reason);
    RETURN true;
END $$;
