-- At commit every new transaction has entries, all in its currency, which sum to zero; later it can never grow.
CREATE FUNCTION billing.check_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_sum numeric;
    v_same_currency boolean;
BEGIN
    SELECT sum(e.amount_minor), bool_and(e.currency = NEW.currency) INTO v_sum, v_same_currency
    FROM billing.entries e WHERE e.transaction_id = NEW.id;
    IF v_sum = 0 AND v_same_currency THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'transaction % (%) does not balance: sum %, one currency: %',
        NEW.id, NEW.key, coalesce(v_sum::text, 'of nothing'), v_same_currency
        USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_balance',
              SCHEMA = 'billing', TABLE = 'transactions';
END $$;

CREATE CONSTRAINT TRIGGER transactions_balance AFTER INSERT ON billing.transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_transaction();

CREATE FUNCTION billing.check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_transaction_id uuid;
BEGIN
    -- A scalar subquery, because the planner turns NOT EXISTS into a join of everything with everything: it has no
    -- statistics of the fresh rows and takes those of posted_in to mean that hardly any transaction matches.
    SELECT f.transaction_id INTO v_transaction_id FROM fresh f
    WHERE (SELECT t.posted_in FROM billing.transactions t WHERE t.id = f.transaction_id)
        IS DISTINCT FROM pg_current_xact_id()::text::bigint
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entries can only join a transaction of the same database transaction, not %',
            v_transaction_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entries_join_new_transactions',
                  SCHEMA = 'billing', TABLE = 'entries';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_join_new_transactions AFTER INSERT ON billing.entries
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION billing.check_entries();
