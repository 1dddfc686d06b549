-- Set money aside under a key and a hold's id that were never used, promotional credit first; false, and nothing done,
-- when the wallet lacks it or is suspended. A hold and the transaction that places it bear one id.
-- Raises unique_violation when the key or the id was used before.
CREATE FUNCTION billing.place_new_hold(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_kind text, p_key text, p_actor text,
    p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_promo bigint;
BEGIN
    UPDATE billing.wallets w
    SET promo = w.promo - least(w.promo, p_amount),
        available = w.available - (p_amount - least(w.promo, p_amount)),
        held = w.held + p_amount
    WHERE w.account_id = p_account AND w.currency = p_currency
      AND w.suspended_at IS NULL AND w.available + w.promo >= p_amount
    RETURNING least(old.promo, p_amount) INTO v_promo;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO billing.transactions (id, key, kind, currency, source, actor, occurred_at)
    VALUES (p_hold, p_key, 'hold', p_currency, p_hold, p_actor, p_at);
    IF v_promo = 0 THEN  -- as nearly always: two plain rows
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        VALUES (p_hold, 2, 2000, p_account, p_currency, p_amount), (p_hold, 3, 2010, p_account, p_currency, -p_amount);
    ELSE
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        SELECT p_hold, l.line, l.account, p_account, p_currency, l.amount_minor
        FROM (VALUES (1::smallint, 2030::smallint, v_promo), (2, 2000, p_amount - v_promo), (3, 2010, -p_amount))
            AS l (line, account, amount_minor)
        WHERE l.amount_minor <> 0;
    END IF;
    INSERT INTO billing.holds (id, account_id, currency, amount_minor, promo_minor, kind, transaction_id, placed_at)
    VALUES (p_hold, p_account, p_currency, p_amount, v_promo, p_kind, p_hold, p_at);
    RETURN true;
END $$;

-- Set money aside like place_new_hold, but the same key again with the same content is true and moves nothing; with
-- other content it raises unique_violation.
CREATE OR REPLACE FUNCTION billing.place_hold(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_kind text, p_key text, p_actor text,
    p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_amount IS NULL OR p_amount <= 0 THEN
        RAISE EXCEPTION 'a hold needs an amount above zero, not %', p_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_check', SCHEMA = 'billing', TABLE = 'holds';
    END IF;
    RETURN billing.place_new_hold(p_hold, p_account, p_currency, p_amount, p_kind, p_key, p_actor, p_at)
        OR billing.is_hold_repeated(p_hold, p_account, p_currency, p_amount, p_kind, p_key);
EXCEPTION
    WHEN unique_violation THEN
        RETURN billing.is_hold_repeated(p_hold, p_account, p_currency, p_amount, p_kind, p_key);
END $$;

-- Tell whether this key placed exactly this hold before; raise unique_violation when it, or the hold's id, was used for
-- something else.
CREATE OR REPLACE FUNCTION billing.is_hold_repeated(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_kind text, p_key text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_same boolean;
BEGIN
    SELECT bool_and(t.key = p_key AND h.id IS NOT NULL) INTO v_same
    FROM billing.transactions t
    LEFT JOIN billing.holds h ON h.transaction_id = t.id
        AND (h.id, h.account_id, h.currency, h.amount_minor, h.kind)
            = (p_hold, p_account, p_currency, p_amount, p_kind)
    WHERE t.key = p_key OR t.id = p_hold;
    IF NOT v_same THEN
        RAISE EXCEPTION 'key % was used for something else', p_key
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'transactions_key_key',
                  SCHEMA = 'billing', TABLE = 'transactions';
    END IF;
    RETURN coalesce(v_same, false);
END $$;
