-- What each version of each publisher's terms says of a sale, for whoever proves his own records against it.
CREATE FUNCTION affiliates.said_terms(
    OUT account_id uuid, OUT version integer, OUT share_bp integer, OUT min_margin_minor bigint, OUT reserve_bp integer,
    OUT reserve_days integer)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT v.account_id, v.version, t.share_bp, t.min_margin_minor, t.reserve_bp, t.reserve_days
    FROM affiliates.terms_versions v
    CROSS JOIN LATERAL jsonb_to_record(v.tier_terms || v.own) AS t (
        share_bp integer, min_margin_minor bigint, reserve_bp integer, reserve_days integer)
$$;
