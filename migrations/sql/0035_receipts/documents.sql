-- The last number given of each kind of document in each year.
CREATE TABLE billing.document_counters (
    kind text NOT NULL,
    year integer NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT document_counters_pkey PRIMARY KEY (kind, year)
);

-- A paper about one transaction, with all that it shows; its number is given at the commit, and then nothing changes.
CREATE TABLE billing.documents (
    id uuid CONSTRAINT documents_pkey PRIMARY KEY,
    kind text NOT NULL,
    year integer NOT NULL,
    number bigint,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    about_id uuid NOT NULL,
    transaction_id uuid NOT NULL
        CONSTRAINT documents_transaction_id_key UNIQUE
        CONSTRAINT documents_transaction_id_fkey REFERENCES billing.transactions,
    content jsonb NOT NULL,
    issued_at timestamptz NOT NULL,
    CONSTRAINT documents_number_key UNIQUE (kind, year, number),
    CONSTRAINT documents_check CHECK (
        kind IN ('receipt', 'credit_note') AND year BETWEEN 2000 AND 9999 AND number > 0 AND amount_minor > 0
        AND length(currency) = 3 AND jsonb_typeof(content) = 'object')
);
CREATE INDEX documents_account_id_idx ON billing.documents (account_id, id);
CREATE INDEX documents_about_id_idx ON billing.documents (about_id);

-- Give a document its number when its transaction commits: what is rolled back leaves no gap, and the counter's row is
-- locked last of all, so that nobody who waits for a number holds up whoever has one.
CREATE FUNCTION billing.number_document() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_number bigint;
BEGIN
    INSERT INTO billing.document_counters AS c (kind, year, last) VALUES (NEW.kind, NEW.year, 1)
    ON CONFLICT (kind, year) DO UPDATE SET last = c.last + 1 RETURNING c.last INTO v_number;
    UPDATE billing.documents d SET number = v_number WHERE d.id = NEW.id;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER number_document AFTER INSERT ON billing.documents
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.number_document();

-- Refuse to begin a document with a number, and every change but the giving of one by the trigger above.
CREATE FUNCTION billing.keep_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.number IS NULL THEN
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 AND OLD.number IS NULL AND NEW.number IS NOT NULL
        AND to_jsonb(NEW) - 'number' = to_jsonb(OLD) - 'number' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on billing.documents is refused: a document stays as it was issued', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_document BEFORE INSERT OR UPDATE ON billing.documents
    FOR EACH ROW EXECUTE FUNCTION billing.keep_document();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.documents
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- A counter goes up by one, and only when a document takes its number.
CREATE FUNCTION billing.keep_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() > 1 AND NEW.last = coalesce(OLD.last, 0) + 1 THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on billing.document_counters is refused: only documents take numbers', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_counter BEFORE INSERT OR UPDATE ON billing.document_counters
    FOR EACH ROW EXECUTE FUNCTION billing.keep_counter();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.document_counters
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- Whom documents name, as its owner last said; without a row, the account's own name.
CREATE TABLE billing.billing_details (
    account_id uuid CONSTRAINT billing_details_pkey PRIMARY KEY,
    name text NOT NULL,
    address text NOT NULL,
    vat_id text NOT NULL,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    CONSTRAINT billing_details_check CHECK (
        length(name) BETWEEN 1 AND 200 AND length(address) <= 500 AND length(vat_id) <= 40)
);
