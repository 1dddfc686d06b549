-- Entries and accounts of the bank stay as they came.
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.bank_entries
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.bank_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.pro_formas
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.bank_imports
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.bank_lines
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.suspense_items
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.suspense_moves
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- No entry of the bank is kept without the transaction that books just its amount.
CREATE FUNCTION billing.check_bank_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(e.amount_minor) FROM billing.transactions t
        JOIN billing.entries e ON e.transaction_id = t.id AND e.account = 1030
        WHERE t.key = 'bank:' || NEW.id AND e.currency = NEW.currency) IS DISTINCT FROM NEW.amount_minor THEN
        RAISE EXCEPTION 'the entry % of the bank is not booked as it is', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_entries_booked';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER check_bank_entry AFTER INSERT ON billing.bank_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_bank_entry();

-- What was proposed is not confirmed by whoever proposed it, and what has ended does not begin again.
CREATE FUNCTION billing.keep_suspense_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('done', 'withdrawn')
        OR (NEW.transaction_id, NEW.kind, NEW.currency, NEW.amount_minor, NEW.account_id, NEW.actor)
            IS DISTINCT FROM (OLD.transaction_id, OLD.kind, OLD.currency, OLD.amount_minor, OLD.account_id, OLD.actor)
        OR (OLD.state = 'proposed' AND NEW.state IN ('owed', 'done') AND NEW.confirmed_by IS NULL) THEN
        RAISE EXCEPTION 'this change of the move % is refused', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'suspense_moves_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_suspense_move BEFORE UPDATE ON billing.suspense_moves
    FOR EACH ROW EXECUTE FUNCTION billing.keep_suspense_move();
