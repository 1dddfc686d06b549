-- Set money aside, promotional credit first; false, and nothing done, when the wallet lacks it or is suspended.
-- The same key again with the same content is true and moves nothing; with other content it raises unique_violation.
CREATE FUNCTION billing.place_hold(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_kind text, p_key text, p_actor text,
    p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_transaction_id uuid;
    v_promo bigint;
BEGIN
    IF p_amount IS NULL OR p_amount <= 0 THEN
        RAISE EXCEPTION 'a hold needs an amount above zero, not %', p_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_amount_check';
    END IF;
    UPDATE billing.wallets w
    SET promo = w.promo - least(w.promo, p_amount),
        available = w.available - (p_amount - least(w.promo, p_amount)),
        held = w.held + p_amount
    WHERE w.account_id = p_account AND w.currency = p_currency
      AND w.suspended_at IS NULL AND w.available + w.promo >= p_amount
    RETURNING least(old.promo, p_amount) INTO v_promo;
    IF NOT FOUND THEN
        RETURN billing.is_hold_repeated(p_hold, p_account, p_currency, p_amount, p_kind, p_key);
    END IF;
    INSERT INTO billing.transactions (key, kind, currency, source, actor, occurred_at)
    VALUES (p_key, 'hold', p_currency, p_hold::text, p_actor, p_at)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_transaction_id;
    IF NOT FOUND THEN
        UPDATE billing.wallets w
        SET promo = w.promo + v_promo, available = w.available + p_amount - v_promo, held = w.held - p_amount
        WHERE w.account_id = p_account AND w.currency = p_currency;
        RETURN billing.is_hold_repeated(p_hold, p_account, p_currency, p_amount, p_kind, p_key);
    END IF;
    IF v_promo = 0 THEN  -- as nearly always: two plain rows
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        VALUES (v_transaction_id, 2, 2000, p_account, p_currency, p_amount),
               (v_transaction_id, 3, 2010, p_account, p_currency, -p_amount);
    ELSE
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        SELECT v_transaction_id, l.line, l.account, p_account, p_currency, l.amount_minor
        FROM (VALUES (1::smallint, 2030::smallint, v_promo), (2, 2000, p_amount - v_promo), (3, 2010, -p_amount))
            AS l (line, account, amount_minor)
        WHERE l.amount_minor <> 0;
    END IF;
    INSERT INTO billing.holds (id, account_id, currency, amount_minor, promo_minor, kind, transaction_id, placed_at)
    VALUES (p_hold, p_account, p_currency, p_amount, v_promo, p_kind, v_transaction_id, p_at);
    RETURN true;
END $$;
