-- What is left of one amount in suspense, named by the transaction that put it there: above zero when it came in, below
-- when it went out. The row is made when somebody first moves a part of it; until then all of it is left.
CREATE TABLE billing.suspense_items (
    transaction_id uuid
        CONSTRAINT suspense_items_pkey PRIMARY KEY
        CONSTRAINT suspense_items_transaction_id_fkey REFERENCES billing.transactions,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    left_minor bigint NOT NULL,
    CONSTRAINT suspense_items_check CHECK (
        amount_minor <> 0 AND left_minor BETWEEN least(amount_minor, 0) AND greatest(amount_minor, 0))
);

-- What an operator does about a part of it: proposed when it needs a second person, else done (posted) or owed (to be
-- sent back, posted when it has left).
CREATE TABLE billing.suspense_moves (
    id uuid CONSTRAINT suspense_moves_pkey PRIMARY KEY,
    transaction_id uuid NOT NULL
        CONSTRAINT suspense_moves_transaction_id_fkey REFERENCES billing.suspense_items,
    kind text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    account_id uuid,
    reference text CONSTRAINT suspense_moves_reference_key UNIQUE,
    state text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    confirmed_by text,
    ended_at timestamptz,
    ended_by text,
    ended_why text,
    entry_id uuid CONSTRAINT suspense_moves_entry_id_key UNIQUE
        CONSTRAINT suspense_moves_entry_id_fkey REFERENCES billing.bank_entries,
    against_id uuid CONSTRAINT suspense_moves_against_id_fkey REFERENCES billing.suspense_items,
    CONSTRAINT suspense_moves_check CHECK (
        kind IN ('assign', 'return', 'fees', 'fx') AND amount_minor <> 0 AND (kind IN ('fees', 'fx') OR amount_minor > 0)
        AND (kind = 'assign') = (account_id IS NOT NULL) AND (kind = 'return') = (reference IS NOT NULL)
        AND state IN ('proposed', 'owed', 'done', 'withdrawn') AND (state <> 'owed' OR kind = 'return')
        AND (state IN ('done', 'withdrawn')) = (ended_at IS NOT NULL) AND confirmed_by <> actor
        AND against_id <> transaction_id AND num_nonnulls(entry_id, against_id) <= CASE WHEN kind = 'return' AND state = 'done' THEN 1 ELSE 0 END
        AND length(btrim(reason)) BETWEEN 1 AND 1000)
);
CREATE INDEX suspense_moves_transaction_id_idx ON billing.suspense_moves (transaction_id);
CREATE INDEX suspense_moves_open_idx ON billing.suspense_moves (asked_at) WHERE state IN ('proposed', 'owed');
CREATE INDEX top_ups_set_aside_idx ON billing.top_ups (ended_at) WHERE state = 'set_aside';

-- Use up a part of what stands in suspense by one transaction, or give it back (a part of the other sign): 'taken', or
-- why not: 'no_item', 'too_much'. Two at once wait for each other, and the CHECK has the last word.
CREATE FUNCTION billing.take_suspense(p_transaction uuid, p_part bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing.suspense_items (transaction_id, currency, amount_minor, left_minor)
    SELECT t.id, t.currency, -sum(e.amount_minor), -sum(e.amount_minor)
    FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 2900
    WHERE t.id = p_transaction AND t.kind IN ('bank_suspense', 'suspense', 'top_up')
    GROUP BY t.id, t.currency HAVING sum(e.amount_minor) <> 0
    ON CONFLICT DO NOTHING;
    UPDATE billing.suspense_items s SET left_minor = s.left_minor - p_part
    WHERE s.transaction_id = p_transaction
      AND s.left_minor - p_part BETWEEN least(s.amount_minor, 0) AND greatest(s.amount_minor, 0);
    RETURN CASE WHEN FOUND THEN 'taken'
                WHEN EXISTS (SELECT FROM billing.suspense_items s WHERE s.transaction_id = p_transaction) THEN 'too_much'
                ELSE 'no_item' END;
END $$;

-- What was sent back can have left only by an amount that went out, in the same currency.
CREATE FUNCTION billing.check_suspense_against() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM billing.suspense_items s
                   WHERE s.transaction_id = NEW.against_id AND s.amount_minor < 0 AND s.currency = NEW.currency) THEN
        RAISE EXCEPTION 'the move % is not set against money that went out', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'suspense_moves_against';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_suspense_against BEFORE INSERT OR UPDATE ON billing.suspense_moves
    FOR EACH ROW WHEN (NEW.against_id IS NOT NULL) EXECUTE FUNCTION billing.check_suspense_against();
