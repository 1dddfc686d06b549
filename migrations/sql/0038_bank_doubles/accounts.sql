-- An account of the exchange that somebody wants named: it takes the place of the present one when another agrees.
CREATE TABLE billing.bank_account_wishes (
    id uuid CONSTRAINT bank_account_wishes_pkey PRIMARY KEY,
    currency text NOT NULL,
    payee text NOT NULL,
    iban text NOT NULL,
    bic text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT bank_account_wishes_check CHECK (
        state IN ('waiting', 'named', 'refused') AND (state = 'waiting') = (decided_at IS NULL)
        AND (decided_at IS NULL) = (decided_by IS NULL) AND starts_with(asked_by, 'user:')
        AND (state = 'named') <= (decided_by <> asked_by AND starts_with(decided_by, 'user:')))
);
CREATE UNIQUE INDEX bank_account_wishes_waiting_idx ON billing.bank_account_wishes (currency) WHERE state = 'waiting';

CREATE FUNCTION billing.keep_bank_account_wish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'waiting' AND NEW.state <> 'waiting'
        AND to_jsonb(NEW) - '{state,decided_by,decided_at}'::text[] = to_jsonb(OLD) - '{state,decided_by,decided_at}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on billing.bank_account_wishes is refused: a wish is decided once'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_bank_account_wish BEFORE UPDATE ON billing.bank_account_wishes
    FOR EACH ROW EXECUTE FUNCTION billing.keep_bank_account_wish();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.bank_account_wishes
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- A currency's first account is named by whoever sets the exchange up; any after it only by a wish that was agreed to.
ALTER TABLE billing.bank_accounts
    ADD COLUMN wish_id uuid
        CONSTRAINT bank_accounts_wish_id_key UNIQUE
        CONSTRAINT bank_accounts_wish_id_fkey REFERENCES billing.bank_account_wishes;
CREATE FUNCTION billing.check_bank_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('billing.bank_account:' || NEW.currency, 0));
    IF EXISTS (SELECT FROM billing.bank_accounts a WHERE a.currency = NEW.currency)
        AND NOT EXISTS (SELECT FROM billing.bank_account_wishes w
                        WHERE w.id = NEW.wish_id AND w.state = 'named'
                          AND (w.currency, w.payee, w.iban, w.bic) = (NEW.currency, NEW.payee, NEW.iban, NEW.bic)) THEN
        RAISE EXCEPTION 'the account of % is changed by two people', NEW.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_accounts_agreed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_bank_account BEFORE INSERT ON billing.bank_accounts
    FOR EACH ROW EXECUTE FUNCTION billing.check_bank_account();
