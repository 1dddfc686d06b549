-- Post lines that sum to zero, once per key, moving the wallet that they are about: 'committed', 'repeated', 'conflict',
-- or 'refused:funds' when a part of the wallet would go below zero, which is kept and answers every repeat. What a
-- wallet comes to owe by them is a debt that is due at once, and what comes in pays first what is due.
-- Off the hot path; lines of zero are left out, and all owned lines belong to one wallet.
CREATE OR REPLACE FUNCTION billing.post(
    p_kind text, p_key text, p_currency text, p_lines billing.line[], p_source text, p_actor text, p_reason text,
    p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of(p_kind, p_currency, p_source, p_lines::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    v_id uuid;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    ELSIF NOT billing.move_wallet(p_currency, p_lines) THEN
        INSERT INTO billing.refusals (key, kind, code, fingerprint, actor, occurred_at)
        VALUES (p_key, p_kind, 'funds', v_fingerprint, p_actor, p_at);
        RETURN 'refused:funds';
    END IF;
    INSERT INTO billing.transactions (key, kind, currency, fingerprint, source, actor, reason, occurred_at)
    VALUES (p_key, p_kind, p_currency, v_fingerprint, p_source, p_actor, p_reason, p_at) RETURNING id INTO v_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT v_id, row_number() OVER (), l.account, l.owner_id, p_currency, l.amount_minor
    FROM unnest(p_lines) AS l WHERE l.amount_minor <> 0;
    PERFORM billing.settle_debts_of(v_id, p_currency, p_lines, p_at);
    RETURN 'committed';
END $$;

-- Keep as a debt what lines charge to a wallet, and pay what is due out of what they bring.
CREATE FUNCTION billing.settle_debts_of(
    p_transaction uuid, p_currency text, p_lines billing.line[], p_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_owner uuid;
    v_charged bigint;
BEGIN
    SELECT min(l.owner_id::text)::uuid, coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 1110), 0)
    INTO v_owner, v_charged FROM unnest(p_lines) AS l
    WHERE l.account = 1110 OR (l.account = 2000 AND l.amount_minor < 0);
    IF v_charged > 0 THEN
        INSERT INTO billing.debts (id, account_id, currency, kind, amount_minor, due_at, made_at)
        VALUES (p_transaction, v_owner, p_currency, 'charge', v_charged, p_at, p_at);
    END IF;
    IF v_owner IS NOT NULL THEN
        PERFORM billing.pay_debts(v_owner, p_currency, p_at, 'system:debts', p_at);
    END IF;
END $$;

-- Move the parts of one wallet by what lines credit to them, and what it owes by what they charge to it; false, and
-- nothing done, when one would go below zero. Only pay_debts makes a wallet owe less.
CREATE OR REPLACE FUNCTION billing.move_wallet(p_currency text, p_lines billing.line[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_owner uuid;
    v_owners bigint;
    v_moved bigint[];
BEGIN
    SELECT count(DISTINCT l.owner_id), (array_agg(l.owner_id) FILTER (WHERE l.owner_id IS NOT NULL))[1],
           ARRAY[coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2000), 0),
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2020), 0),
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2030), 0),
                 coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 1110), 0)]
    INTO v_owners, v_owner, v_moved FROM unnest(p_lines) AS l;
    IF v_owners > 1 OR v_moved[4] < 0
        OR EXISTS (SELECT FROM unnest(p_lines) AS l WHERE l.account IN (1100, 2010, 2100, 2110, 2120)) THEN
        RAISE EXCEPTION 'lines of one posting move one wallet, and neither holds nor earners, nor do they pay debts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_check';
    ELSIF v_moved = '{0,0,0,0}' THEN
        RETURN true;
    END IF;
    PERFORM billing.open_wallet(v_owner, p_currency);
    UPDATE billing.wallets w
    SET available = w.available + v_moved[1], frozen = w.frozen + v_moved[2], promo = w.promo + v_moved[3],
        owed = w.owed + v_moved[4]
    WHERE w.account_id = v_owner AND w.currency = p_currency
      AND least(w.available + v_moved[1], w.frozen + v_moved[2], w.promo + v_moved[3]) >= 0;
    RETURN FOUND;
END $$;

-- Add money to a wallet, once per key, opening the wallet when needed, and pay with it first what is due: 'committed',
-- 'repeated', 'conflict' or 'refused:' with amount, currency, wallet_suspended or balance_limit; a refusal is kept and
-- answers every repeat.
CREATE OR REPLACE FUNCTION billing.fund_wallet(
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
    IF p_credit = 2000 THEN
        PERFORM billing.pay_debts(p_account, p_currency, p_at, 'system:debts', p_at);
    END IF;
    RETURN 'committed';
END $$;
