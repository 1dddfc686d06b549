DROP FUNCTION billing.covers;

-- What could be set aside at this moment, told without a lock; no row when there is no wallet or it is suspended.
-- Planned into the query that asks, so that a sale asks several floors in one statement.
CREATE FUNCTION billing.spendable(p_account uuid, p_currency text) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT w.available + w.promo FROM billing.wallets w
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NULL
$$;
