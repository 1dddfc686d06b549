-- A document is about one transaction, as before, or about one month (UTC) of an account in a currency.
ALTER TABLE billing.documents
    ADD COLUMN period date,
    ALTER COLUMN transaction_id DROP NOT NULL,
    DROP CONSTRAINT documents_check,
    ADD CONSTRAINT documents_check CHECK (
        year BETWEEN 2000 AND 9999 AND number > 0 AND length(currency) = 3 AND jsonb_typeof(content) = 'object'
        AND CASE
            WHEN kind IN ('receipt', 'credit_note')
                THEN amount_minor > 0 AND transaction_id IS NOT NULL AND period IS NULL
            WHEN kind IN ('invoice', 'statement') THEN period IS NOT NULL AND extract(day FROM period) = 1
            ELSE false END);
CREATE UNIQUE INDEX documents_month_idx ON billing.documents (kind, account_id, currency, period)
    WHERE period IS NOT NULL;

-- The lines of an invoice or a statement: each transaction of the books stands on one document of a side at most.
CREATE TABLE billing.document_lines (
    document_id uuid NOT NULL CONSTRAINT document_lines_document_id_fkey REFERENCES billing.documents,
    line integer NOT NULL,
    side text NOT NULL,
    account_id uuid NOT NULL,
    transaction_id uuid NOT NULL CONSTRAINT document_lines_transaction_id_fkey REFERENCES billing.transactions,
    kind text NOT NULL,
    hold_id uuid,
    occurred_at timestamptz NOT NULL,
    amount_minor bigint NOT NULL,
    promo_minor bigint NOT NULL,
    payable_minor bigint NOT NULL,
    reserve_minor bigint NOT NULL,
    owed_minor bigint NOT NULL,
    reserve_until timestamptz,
    refers_to text,
    label jsonb NOT NULL,
    CONSTRAINT document_lines_pkey PRIMARY KEY (document_id, line),
    CONSTRAINT document_lines_once_key UNIQUE (side, account_id, transaction_id),
    CONSTRAINT document_lines_check CHECK (
        line > 0 AND side IN ('invoice', 'statement') AND jsonb_typeof(label) = 'object')
);
CREATE INDEX document_lines_hold_id_idx ON billing.document_lines (hold_id);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.document_lines
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- Lines join only a document that has no number yet, which is one of the same database transaction, and their own.
CREATE FUNCTION billing.keep_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh f JOIN billing.documents d ON d.id = f.document_id
               WHERE d.number IS NOT NULL OR (d.kind, d.account_id) IS DISTINCT FROM (f.side, f.account_id)) THEN
        RAISE EXCEPTION 'INSERT on billing.document_lines is refused: a document stays as it was issued'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_lines AFTER INSERT ON billing.document_lines
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION billing.keep_lines();

-- At the commit the lines of a month's document sum to its amount: what was paid from promotional credit is no price.
CREATE FUNCTION billing.check_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount_minor = (SELECT coalesce(sum(l.amount_minor - l.promo_minor), 0)
                           FROM billing.document_lines l WHERE l.document_id = NEW.id) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the lines of document % do not sum to %', NEW.id, NEW.amount_minor
        USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_sum', SCHEMA = 'billing', TABLE = 'documents';
END $$;
CREATE CONSTRAINT TRIGGER check_document AFTER INSERT ON billing.documents
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.period IS NOT NULL) EXECUTE FUNCTION billing.check_document();

-- Which months of an account were looked at; without a document nothing had happened in them. No transaction before
-- `from_id` waits for a document any more, so that the next month is found without reading a whole history.
CREATE TABLE billing.document_months (
    side text NOT NULL,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    period date NOT NULL,
    document_id uuid CONSTRAINT document_months_document_id_fkey REFERENCES billing.documents
        DEFERRABLE INITIALLY DEFERRED,
    from_id uuid NOT NULL,
    looked_at timestamptz NOT NULL,
    CONSTRAINT document_months_pkey PRIMARY KEY (side, account_id, currency, period),
    CONSTRAINT document_months_check CHECK (side IN ('invoice', 'statement') AND extract(day FROM period) = 1)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.document_months
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
