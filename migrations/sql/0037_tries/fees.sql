-- Charge a fee to a wallet, once per key: D available / C fees. What is not available is a debt that is due at once
-- (D recv:wallet) for whoever has a credit line or owes already, since such a wallet is empty as a rule; it passes the
-- limit of the line, or drawing all of it would be a way out of the fee. 'committed', 'repeated', 'conflict', or
-- 'refused:funds' when anybody else's wallet lacks it, which is kept and answers every repeat.
CREATE OR REPLACE FUNCTION billing.charge_fee(
    p_account uuid, p_currency text, p_amount bigint, p_key text, p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of('fee', p_account::text, p_currency, p_amount::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    v_id uuid := uuidv7();
    v_owed bigint;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    ELSIF p_amount IS NULL OR p_amount <= 0 THEN
        RAISE EXCEPTION 'a fee is an amount above zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fees_amount_check';
    END IF;
    UPDATE billing.wallets w
    SET available = w.available - least(w.available, p_amount), owed = w.owed + greatest(p_amount - w.available, 0)
    WHERE w.account_id = p_account AND w.currency = p_currency
      AND (w.available >= p_amount OR w.credit_limit > 0 OR w.drawn + w.owed > 0)
    RETURNING new.owed - old.owed INTO v_owed;
    IF NOT FOUND THEN
        INSERT INTO billing.refusals (key, kind, code, fingerprint, actor, occurred_at)
        VALUES (p_key, 'fee', 'funds', v_fingerprint, p_actor, p_at);
        RETURN 'refused:funds';
    END IF;
    INSERT INTO billing.transactions (id, key, kind, currency, fingerprint, actor, reason, occurred_at)
    VALUES (v_id, p_key, 'fee', p_currency, v_fingerprint, p_actor, p_reason, p_at);
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT v_id, row_number() OVER (), l.account, l.owner_id, p_currency, l.amount_minor
    FROM (VALUES (2000, p_account, p_amount - v_owed), (1110, p_account, v_owed), (4100, NULL, -p_amount))
        AS l (account, owner_id, amount_minor)
    WHERE l.amount_minor <> 0;
    IF v_owed > 0 THEN
        INSERT INTO billing.debts (id, account_id, currency, kind, amount_minor, due_at, made_at)
        VALUES (v_id, p_account, p_currency, 'charge', v_owed, p_at, p_at);
    END IF;
    RETURN 'committed';
END $$;

-- Give a charged fee back under its key with ':back', once, and pay with it first what is due, which its own debt is:
-- D fees / C available; 'committed', 'repeated', or 'missing' when none was charged.
CREATE OR REPLACE FUNCTION billing.return_fee(p_key text, p_reason text, p_actor text, p_at timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_back text := p_key || ':back';
    v_answer text := billing.answer_for_key(v_back, NULL);
    f record;
    v_id uuid;
BEGIN
    SELECT * INTO f FROM billing.fees_charged() c WHERE c.key = p_key;
    IF v_answer IS NOT NULL OR f.transaction_id IS NULL THEN
        RETURN coalesce(v_answer, 'missing');
    END IF;
    UPDATE billing.wallets w SET available = w.available + f.amount_minor
    WHERE w.account_id = f.account_id AND w.currency = f.currency;
    INSERT INTO billing.transactions (key, kind, currency, actor, reason, reverses, occurred_at)
    VALUES (v_back, 'fee_back', f.currency, p_actor, p_reason, f.transaction_id, p_at) RETURNING id INTO v_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_id, 1, 2000, f.account_id, f.currency, -f.amount_minor), (v_id, 2, 4100, NULL, f.currency, f.amount_minor);
    PERFORM billing.pay_debts(f.account_id, f.currency, p_at, 'system:debts', p_at);
    RETURN 'committed';
END $$;

-- Every fee that was charged, given back or not: what of it the wallet had and what it came to owe are one fee.
CREATE FUNCTION billing.fees_charged(
    OUT transaction_id uuid, OUT key text, OUT account_id uuid, OUT currency text, OUT amount_minor bigint
) RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT t.id, t.key, (SELECT o.owner_id FROM billing.entries o
                         WHERE o.transaction_id = t.id AND o.owner_id IS NOT NULL LIMIT 1), t.currency, -e.amount_minor
    FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 4100
    WHERE t.kind = 'fee'
$$;

-- Every fee that was charged and not given back, for whoever proves his own records against the books.
CREATE OR REPLACE FUNCTION billing.fees(
    OUT key text, OUT account_id uuid, OUT currency text, OUT amount_minor bigint
) RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT c.key, c.account_id, c.currency, c.amount_minor FROM billing.fees_charged() c
    WHERE NOT EXISTS (SELECT FROM billing.transactions b WHERE b.reverses = c.transaction_id)
$$;
