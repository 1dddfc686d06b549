-- Set money aside for several purchases at once, from what is available alone; a hold's id is its transaction's, and was
-- never used.
CREATE TYPE billing.new_hold AS (
    id uuid, account_id uuid, currency text, amount_minor bigint, key text, actor text, placed_at timestamptz);

-- Return what a wallet has available when it pays from nothing else: without promotional credit, and not stopped.
CREATE FUNCTION billing.own_funds(p_account uuid, p_currency text) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT w.available FROM billing.wallets w
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.promo = 0
      AND w.suspended_at IS NULL AND w.stopped_at IS NULL
$$;

-- Do what place_new_hold does for several holds. False, when some wallet lacks own funds: the caller undoes the rest.
-- Wallets are locked in their order, and each but once.
CREATE FUNCTION billing.place_new_holds(p_holds billing.new_hold[], p_kind text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_account uuid; v_currency text; v_amount bigint;
BEGIN
    FOR v_account, v_currency, v_amount IN
        SELECT h.account_id, h.currency, sum(h.amount_minor) FROM unnest(p_holds) AS h GROUP BY 1, 2 ORDER BY 1, 2 LOOP
        UPDATE billing.wallets w SET available = w.available - v_amount, held = w.held + v_amount
        WHERE w.account_id = v_account AND w.currency = v_currency AND w.promo = 0
          AND w.suspended_at IS NULL AND w.stopped_at IS NULL AND w.available >= v_amount;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
    INSERT INTO billing.transactions (id, key, kind, currency, source, actor, occurred_at)
    SELECT h.id, h.key, 'hold', h.currency, h.id, h.actor, h.placed_at FROM unnest(p_holds) AS h;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT h.id, e.line, e.account, h.account_id, h.currency, h.amount_minor * e.sign
    FROM unnest(p_holds) AS h, (VALUES (2::smallint, 2000::smallint, 1), (3, 2010, -1)) AS e (line, account, sign);
    INSERT INTO billing.holds (id, account_id, currency, amount_minor, promo_minor, kind, transaction_id, placed_at)
    SELECT h.id, h.account_id, h.currency, h.amount_minor, 0, p_kind, h.id, h.placed_at FROM unnest(p_holds) AS h;
    RETURN true;
END $$;
