-- One line of a posting, debit positive.
CREATE TYPE billing.line AS (account smallint, owner_id uuid, amount_minor bigint);

-- Post lines that sum to zero, once per key, moving the wallet that they are about: 'committed', 'repeated', 'conflict',
-- or 'refused:funds' when a part of the wallet would go below zero, which is kept and answers every repeat.
-- Off the hot path; lines of zero are left out, and all owned lines belong to one wallet.
CREATE FUNCTION billing.post(
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
    RETURN 'committed';
END $$;

-- Move the parts of one wallet by what lines credit to them; false, and nothing done, when one would go below zero.
CREATE FUNCTION billing.move_wallet(p_currency text, p_lines billing.line[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_owner uuid;
    v_owners bigint;
    v_moved bigint[];
BEGIN
    SELECT count(DISTINCT l.owner_id), (array_agg(l.owner_id) FILTER (WHERE l.owner_id IS NOT NULL))[1],
           ARRAY[coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2000), 0),
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2020), 0),
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2030), 0)]
    INTO v_owners, v_owner, v_moved FROM unnest(p_lines) AS l;
    IF v_owners > 1 OR EXISTS (SELECT FROM unnest(p_lines) AS l WHERE l.account IN (1100, 2010, 2100, 2110, 2120)) THEN
        RAISE EXCEPTION 'lines of one posting move one wallet, and neither holds nor earners'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_check';
    ELSIF v_moved = '{0,0,0}' THEN
        RETURN true;
    END IF;
    PERFORM billing.open_wallet(v_owner, p_currency);
    UPDATE billing.wallets w
    SET available = w.available + v_moved[1], frozen = w.frozen + v_moved[2], promo = w.promo + v_moved[3]
    WHERE w.account_id = v_owner AND w.currency = p_currency
      AND least(w.available + v_moved[1], w.frozen + v_moved[2], w.promo + v_moved[3]) >= 0;
    RETURN FOUND;
END $$;

-- Close a wallet to new holds, once.
CREATE FUNCTION billing.suspend_wallet(p_account uuid, p_currency text, p_at timestamptz) RETURNS void LANGUAGE sql AS $$
    UPDATE billing.wallets w SET suspended_at = p_at
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NULL
$$;
