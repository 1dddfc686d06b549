-- Charge a fee to what is available in a wallet, once per key: D available / C fees. 'committed', 'repeated',
-- 'conflict', or 'refused:funds' when the wallet lacks it, which is kept and answers every repeat.
CREATE FUNCTION billing.charge_fee(
    p_account uuid, p_currency text, p_amount bigint, p_key text, p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of('fee', p_account::text, p_currency, p_amount::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    v_id uuid;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    ELSIF p_amount IS NULL OR p_amount <= 0 THEN
        RAISE EXCEPTION 'a fee is an amount above zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fees_amount_check';
    END IF;
    UPDATE billing.wallets w SET available = w.available - p_amount
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.available >= p_amount;
    IF NOT FOUND THEN
        INSERT INTO billing.refusals (key, kind, code, fingerprint, actor, occurred_at)
        VALUES (p_key, 'fee', 'funds', v_fingerprint, p_actor, p_at);
        RETURN 'refused:funds';
    END IF;
    INSERT INTO billing.transactions (key, kind, currency, fingerprint, actor, reason, occurred_at)
    VALUES (p_key, 'fee', p_currency, v_fingerprint, p_actor, p_reason, p_at) RETURNING id INTO v_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_id, 1, 2000, p_account, p_currency, p_amount), (v_id, 2, 4100, NULL, p_currency, -p_amount);
    RETURN 'committed';
END $$;

-- Give a charged fee back under its key with ':back', once: 'committed', 'repeated', or 'missing' when none was charged.
CREATE FUNCTION billing.return_fee(p_key text, p_reason text, p_actor text, p_at timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_back text := p_key || ':back';
    v_answer text := billing.answer_for_key(v_back, NULL);
    t billing.transactions;
    v_id uuid;
BEGIN
    SELECT * INTO t FROM billing.transactions f WHERE f.key = p_key AND f.kind = 'fee';
    IF v_answer IS NOT NULL OR t.id IS NULL THEN
        RETURN coalesce(v_answer, 'missing');
    END IF;
    UPDATE billing.wallets w SET available = w.available + e.amount_minor
    FROM billing.entries e
    WHERE (e.transaction_id, e.line) = (t.id, 1) AND (w.account_id, w.currency) = (e.owner_id, e.currency);
    INSERT INTO billing.transactions (key, kind, currency, actor, reason, reverses, occurred_at)
    VALUES (v_back, 'fee_back', t.currency, p_actor, p_reason, t.id, p_at) RETURNING id INTO v_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT v_id, e.line, e.account, e.owner_id, e.currency, -e.amount_minor
    FROM billing.entries e WHERE e.transaction_id = t.id;
    RETURN 'committed';
END $$;

-- Every fee that was charged and not given back, for whoever proves his own records against the books.
CREATE FUNCTION billing.fees(OUT key text, OUT account_id uuid, OUT currency text, OUT amount_minor bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT t.key, e.owner_id, t.currency, e.amount_minor
    FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id
    WHERE t.kind = 'fee' AND e.account = 2000
      AND NOT EXISTS (SELECT FROM billing.transactions b WHERE b.reverses = t.id)
$$;
