-- Promotional credit that operators give; above a sum it waits until a second one has agreed.
CREATE TABLE billing.promo_grants (
    id uuid CONSTRAINT promo_grants_pkey PRIMARY KEY,
    key text NOT NULL CONSTRAINT promo_grants_key_key UNIQUE,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    reason text NOT NULL,
    needs_second boolean NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT promo_grants_check CHECK (
        amount_minor > 0 AND length(currency) = 3 AND length(btrim(reason)) BETWEEN 1 AND 500
        AND state IN ('waiting', 'granted', 'refused')
        AND (state = 'waiting') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)
        AND needs_second <= starts_with(asked_by, 'user:')
        AND (state = 'granted' AND needs_second) <= (decided_by <> asked_by AND starts_with(decided_by, 'user:')))
);
CREATE INDEX promo_grants_account_id_idx ON billing.promo_grants (account_id, id);
CREATE INDEX promo_grants_waiting_idx ON billing.promo_grants (id) WHERE state = 'waiting';

-- What was asked for stays, and what was decided is decided.
CREATE FUNCTION billing.keep_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'waiting' AND NEW.state <> 'waiting'
        AND to_jsonb(NEW) - '{state,decided_by,decided_at}'::text[] = to_jsonb(OLD) - '{state,decided_by,decided_at}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on billing.promo_grants is refused: a grant is decided once'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_grant BEFORE UPDATE ON billing.promo_grants FOR EACH ROW EXECUTE FUNCTION billing.keep_grant();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.promo_grants
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
