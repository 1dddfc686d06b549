-- Tell whether this key placed exactly this hold before; raise unique_violation when it placed something else.
CREATE FUNCTION billing.is_hold_repeated(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_kind text, p_key text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_same boolean;
BEGIN
    SELECT h.id IS NOT NULL INTO v_same
    FROM billing.transactions t
    LEFT JOIN billing.holds h ON h.transaction_id = t.id
        AND (h.id, h.account_id, h.currency, h.amount_minor, h.kind)
            = (p_hold, p_account, p_currency, p_amount, p_kind)
    WHERE t.key = p_key;
    IF NOT v_same THEN
        RAISE EXCEPTION 'key % was used for something else', p_key
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'transactions_key_key',
                  SCHEMA = 'billing', TABLE = 'transactions';
    END IF;
    RETURN coalesce(v_same, false);
END $$;
