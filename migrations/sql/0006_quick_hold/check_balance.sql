-- At commit every new transaction has entries, all in its currency, which sum to zero; later it can never grow.
CREATE OR REPLACE FUNCTION billing.check_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(e.amount_minor) = 0 AND bool_and(e.currency = NEW.currency)
        FROM billing.entries e WHERE e.transaction_id = NEW.id) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'transaction % (%) does not balance: sum %', NEW.id, NEW.key,
        coalesce((SELECT string_agg(s.total, ' and ') FROM (
            SELECT concat(sum(e.amount_minor), ' ', e.currency) AS total
            FROM billing.entries e WHERE e.transaction_id = NEW.id GROUP BY e.currency) s), 'of nothing')
        USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_balance',
              SCHEMA = 'billing', TABLE = 'transactions';
END $$;
