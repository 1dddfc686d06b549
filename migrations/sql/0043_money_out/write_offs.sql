-- What an earner owes for long and somebody wants given up; another person agrees, or it is refused.
CREATE TABLE billing.write_offs (
    id uuid CONSTRAINT write_offs_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    owed_since timestamptz NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT write_offs_check CHECK (
        amount_minor > 0 AND length(currency) = 3 AND length(btrim(reason)) BETWEEN 1 AND 500
        AND state IN ('waiting', 'booked', 'refused') AND (state = 'waiting') = (decided_at IS NULL)
        AND (decided_at IS NULL) = (decided_by IS NULL) AND starts_with(asked_by, 'user:')
        AND (state = 'booked') <= (decided_by <> asked_by AND starts_with(decided_by, 'user:')))
);
CREATE UNIQUE INDEX write_offs_waiting_idx ON billing.write_offs (account_id, currency) WHERE state = 'waiting';
CREATE INDEX write_offs_account_id_idx ON billing.write_offs (account_id, id);
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.write_offs
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

CREATE FUNCTION billing.keep_write_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'waiting' AND NEW.state <> 'waiting'
        AND to_jsonb(NEW) - '{state,decided_by,decided_at}'::text[]
            = to_jsonb(OLD) - '{state,decided_by,decided_at}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the wish % to write off is decided once', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'write_offs_kept';
END $$;
CREATE TRIGGER keep_write_off BEFORE UPDATE ON billing.write_offs
    FOR EACH ROW EXECUTE FUNCTION billing.keep_write_off();

-- Book a wish that was agreed to: D bad_debt / C what the earner owes. False, and nothing done, when he owes less by now.
CREATE FUNCTION billing.book_write_off(p_id uuid, p_actor text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    w billing.write_offs;
    v_id uuid;
BEGIN
    SELECT * INTO w FROM billing.write_offs WHERE id = p_id;
    UPDATE billing.earners e SET owed = e.owed - w.amount_minor
    WHERE (e.account_id, e.currency) = (w.account_id, w.currency) AND e.owed >= w.amount_minor;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO billing.transactions (key, kind, currency, source, actor, reason, occurred_at)
    VALUES ('write_off:' || w.id, 'write_off', w.currency, w.id, p_actor, w.reason, p_at) RETURNING id INTO v_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_id, 1, 5200, NULL, w.currency, w.amount_minor), (v_id, 2, 1100, w.account_id, w.currency, -w.amount_minor);
    RETURN true;
END $$;

-- Since when each of these earners has owed something without a break.
CREATE FUNCTION billing.owed_since(p_accounts uuid[], p_currency text)
RETURNS TABLE (account_id uuid, since timestamptz) LANGUAGE sql STABLE AS $$
    WITH moves AS (
        SELECT e.owner_id, e.transaction_id,
               sum(e.amount_minor) OVER (PARTITION BY e.owner_id ORDER BY e.transaction_id, e.line) AS owed
        FROM billing.entries e
        WHERE e.owner_id = ANY (p_accounts) AND e.account = 1100 AND e.currency = p_currency),
    begins AS (
        SELECT DISTINCT ON (m.owner_id) m.owner_id, m.transaction_id
        FROM moves m
        WHERE NOT EXISTS (SELECT FROM moves z
                          WHERE z.owner_id = m.owner_id AND z.owed <= 0 AND z.transaction_id >= m.transaction_id)
        ORDER BY m.owner_id, m.transaction_id)
    SELECT b.owner_id, t.occurred_at FROM begins b JOIN billing.transactions t ON t.id = b.transaction_id
$$;
