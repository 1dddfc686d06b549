-- Turn reserves that are due into payable money, at most p_limit lots, the oldest first; return how many.
-- Lots that another call is working on are passed over, so several workers share the work.
CREATE FUNCTION billing.mature_reserves(p_as_of timestamptz, p_limit int, p_actor text)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_lots uuid[];
BEGIN
    SELECT coalesce(array_agg(d.id), '{}') INTO v_lots
    FROM (SELECT l.id FROM billing.reserve_lots l
          WHERE l.closed_at IS NULL AND l.matures_at <= p_as_of
          ORDER BY l.matures_at, l.id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED) d;
    IF cardinality(v_lots) > 0 THEN
        PERFORM billing.close_matured_lots(v_lots, p_actor, p_as_of);
    END IF;
    RETURN cardinality(v_lots);
END $$;

CREATE FUNCTION billing.close_matured_lots(p_lots uuid[], p_actor text, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing.transactions (key, kind, currency, source, actor, occurred_at)
    SELECT 'reserve:' || l.id, 'mature', l.currency, l.id::text, p_actor, p_at
    FROM billing.reserve_lots l WHERE l.id = ANY (p_lots);

    INSERT INTO billing.lot_resolutions (lot_id, matured_minor, clawed_back_minor, transaction_id, resolved_at)
    SELECT l.id, l.amount_minor, 0, t.id, p_at
    FROM billing.reserve_lots l JOIN billing.transactions t ON t.key = 'reserve:' || l.id
    WHERE l.id = ANY (p_lots);

    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT v.transaction_id, s.line, s.account, l.account_id, l.currency, s.sign * l.amount_minor
    FROM billing.lot_resolutions v
    JOIN billing.reserve_lots l ON l.id = v.lot_id
    CROSS JOIN (VALUES (1::smallint, 2110::smallint, 1), (2, 2100, -1)) AS s (line, account, sign)
    WHERE v.lot_id = ANY (p_lots);

    UPDATE billing.reserve_lots SET closed_at = p_at WHERE id = ANY (p_lots);

    PERFORM FROM billing.earners e
    WHERE (e.account_id, e.currency) IN (
        SELECT l.account_id, l.currency FROM billing.reserve_lots l WHERE l.id = ANY (p_lots))
    ORDER BY e.account_id, e.currency FOR NO KEY UPDATE;

    UPDATE billing.earners e SET reserve = e.reserve - s.matured, payable = e.payable + s.matured
    FROM (SELECT l.account_id, l.currency, sum(l.amount_minor) AS matured FROM billing.reserve_lots l
          WHERE l.id = ANY (p_lots) GROUP BY l.account_id, l.currency) s
    WHERE (e.account_id, e.currency) = (s.account_id, s.currency);
END $$;
