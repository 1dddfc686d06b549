-- Book the claimed resolutions: a transaction each, its entries, and the lot that its reserve becomes.
CREATE FUNCTION billing.post_resolutions(
    p_holds uuid[], p_requests billing.hold_request[], p_actor text, p_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing.transactions (id, key, kind, currency, source, actor, reason, occurred_at)
    SELECT v.transaction_id, 'hold:' || h.id || ':resolve', 'resolve', h.currency, h.id::text, p_actor, r.reason, p_at
    FROM unnest(p_holds) AS won (hold_id)
    JOIN billing.hold_resolutions v ON v.hold_id = won.hold_id
    JOIN billing.holds h ON h.id = won.hold_id
    JOIN unnest(p_requests) r ON r.hold_id = won.hold_id;

    INSERT INTO billing.entries (transaction_id, line, account, sub_account, owner_id, currency, amount_minor)
    SELECT v.transaction_id, l.line, l.account, l.sub_account, l.owner_id, h.currency, l.amount_minor
    FROM unnest(p_holds) AS won (hold_id)
    JOIN billing.hold_resolutions v ON v.hold_id = won.hold_id
    JOIN billing.holds h ON h.id = won.hold_id
    CROSS JOIN LATERAL (VALUES
        (1::smallint, 2010::smallint, NULL, h.account_id, h.amount_minor),
        (2, 4000, h.kind, NULL, -v.captured_minor),
        (3, 2000, NULL, h.account_id, v.released_promo_minor - v.released_minor),
        (4, 2030, NULL, h.account_id, -v.released_promo_minor),
        (5, 5000, NULL, NULL, v.share_minor),
        (6, 2100, NULL, v.earner_id, v.reserve_minor - v.share_minor),
        (7, 2110, NULL, v.earner_id, -v.reserve_minor)
    ) AS l (line, account, sub_account, owner_id, amount_minor)
    WHERE l.amount_minor <> 0;

    INSERT INTO billing.reserve_lots (id, account_id, currency, amount_minor, matures_at)
    SELECT v.hold_id, v.earner_id, h.currency, v.reserve_minor, v.reserve_until
    FROM unnest(p_holds) AS won (hold_id)
    JOIN billing.hold_resolutions v ON v.hold_id = won.hold_id
    JOIN billing.holds h ON h.id = won.hold_id
    WHERE v.reserve_minor > 0;
END $$;
