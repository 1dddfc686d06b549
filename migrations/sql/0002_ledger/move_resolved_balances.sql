-- Move the cached balances of claimed resolutions: each wallet, then each earner, once and in id order.
CREATE FUNCTION billing.move_resolved_balances(p_holds uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- An UPDATE takes its rows in the order of its plan, so the locks are taken before it, in id order.
    PERFORM FROM billing.wallets w
    WHERE (w.account_id, w.currency) IN (
        SELECT h.account_id, h.currency FROM billing.holds h WHERE h.id = ANY (p_holds))
    ORDER BY w.account_id, w.currency FOR NO KEY UPDATE;

    UPDATE billing.wallets w
    SET held = w.held - s.resolved, promo = w.promo + s.to_promo, available = w.available + s.to_available
    FROM (SELECT h.account_id, h.currency, sum(h.amount_minor) AS resolved, sum(v.released_promo_minor) AS to_promo,
                 sum(v.released_minor - v.released_promo_minor) AS to_available
          FROM billing.hold_resolutions v JOIN billing.holds h ON h.id = v.hold_id
          WHERE v.hold_id = ANY (p_holds)
          GROUP BY h.account_id, h.currency) s
    WHERE (w.account_id, w.currency) = (s.account_id, s.currency);

    INSERT INTO billing.earners (account_id, currency, payable, reserve)
    SELECT v.earner_id, h.currency, sum(v.share_minor - v.reserve_minor), sum(v.reserve_minor)
    FROM billing.hold_resolutions v JOIN billing.holds h ON h.id = v.hold_id
    WHERE v.hold_id = ANY (p_holds) AND v.share_minor > 0
    GROUP BY v.earner_id, h.currency
    ORDER BY v.earner_id, h.currency
    ON CONFLICT (account_id, currency) DO UPDATE
    SET payable = earners.payable + excluded.payable, reserve = earners.reserve + excluded.reserve;
END $$;
