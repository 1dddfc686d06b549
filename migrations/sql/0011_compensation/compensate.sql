-- Pay an earner out of the platform's own pocket, once per key: D earner_share / C earner payable, with no income beside
-- it. 'committed', 'repeated' or 'conflict'; an amount that is not positive raises check_violation.
CREATE FUNCTION billing.compensate(
    p_account uuid, p_currency text, p_amount bigint, p_key text, p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of('compensate', p_account::text, p_currency, p_amount::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    v_transaction_id uuid;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    ELSIF p_amount IS NULL OR p_amount <= 0 THEN
        RAISE EXCEPTION 'a compensation is an amount above zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'compensations_amount_check';
    END IF;
    PERFORM billing.open_earner(p_account, p_currency);
    UPDATE billing.earners e SET payable = e.payable + p_amount
    WHERE e.account_id = p_account AND e.currency = p_currency;
    INSERT INTO billing.transactions (key, kind, currency, fingerprint, actor, reason, occurred_at)
    VALUES (p_key, 'compensate', p_currency, v_fingerprint, p_actor, p_reason, p_at) RETURNING id INTO v_transaction_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_transaction_id, 1, 5000, NULL, p_currency, p_amount),
           (v_transaction_id, 2, 2100, p_account, p_currency, -p_amount);
    RETURN 'committed';
END $$;

-- Every compensation, for whoever proves his own records against the books.
CREATE FUNCTION billing.compensations(
    OUT key text, OUT account_id uuid, OUT currency text, OUT amount_minor bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT t.key, e.owner_id, t.currency, -e.amount_minor
    FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
    WHERE t.kind = 'compensate' AND e.account = 2100
$$;
