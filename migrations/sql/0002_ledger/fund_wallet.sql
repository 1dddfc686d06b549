-- Add money to a wallet, once per key, opening the wallet when needed: 'committed', 'repeated', 'conflict' or
-- 'refused:' with amount, currency, wallet_suspended or balance_limit; a refusal is kept and answers every repeat.
CREATE FUNCTION billing.fund_wallet(
    p_kind text, p_debit smallint, p_credit smallint, p_account uuid, p_currency text, p_amount bigint, p_key text,
    p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of(p_kind, p_account::text, p_currency, p_amount::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    v_refusal text;
    v_transaction_id uuid;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    v_refusal := billing.try_to_fund(p_credit, p_account, p_currency, p_amount);
    IF v_refusal IS NOT NULL THEN
        INSERT INTO billing.refusals (key, kind, code, fingerprint, actor, occurred_at)
        VALUES (p_key, p_kind, v_refusal, v_fingerprint, p_actor, p_at);
        RETURN 'refused:' || v_refusal;
    END IF;
    INSERT INTO billing.transactions (key, kind, currency, fingerprint, actor, reason, occurred_at)
    VALUES (p_key, p_kind, p_currency, v_fingerprint, p_actor, p_reason, p_at) RETURNING id INTO v_transaction_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_transaction_id, 1, p_debit, NULL, p_currency, p_amount),
           (v_transaction_id, 2, p_credit, p_account, p_currency, -p_amount);
    RETURN 'committed';
END $$;

-- Move the wallet, or say why not; the limit keeps every balance and sum far inside BIGINT.
CREATE FUNCTION billing.try_to_fund(p_credit smallint, p_account uuid, p_currency text, p_amount bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_limit CONSTANT bigint := 1000000000000000;
    v_suspended_at timestamptz;
BEGIN
    IF p_currency IS NULL OR p_currency !~ '^[A-Z]{3}$' THEN
        RETURN 'currency';
    ELSIF p_amount IS NULL OR p_amount NOT BETWEEN 1 AND v_limit THEN
        RETURN 'amount';
    END IF;
    PERFORM billing.open_wallet(p_account, p_currency);
    UPDATE billing.wallets w
    SET available = w.available + CASE WHEN p_credit = 2000 THEN p_amount ELSE 0 END,
        promo = w.promo + CASE WHEN p_credit = 2030 THEN p_amount ELSE 0 END
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NULL
      AND w.available + w.held + w.frozen + w.promo + p_amount <= v_limit;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT w.suspended_at INTO v_suspended_at FROM billing.wallets w
    WHERE w.account_id = p_account AND w.currency = p_currency;
    RETURN CASE WHEN v_suspended_at IS NULL THEN 'balance_limit' ELSE 'wallet_suspended' END;
END $$;
