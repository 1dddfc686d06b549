-- Who vouches for a file and who agreed to it, and what it credited on the word of one person alone. While it is asked,
-- no line of it is booked.
ALTER TABLE billing.bank_imports
    ADD COLUMN vouched_by text,
    ADD COLUMN confirmed_by text,
    ADD COLUMN alone_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN alone_at timestamptz;
UPDATE billing.bank_imports SET vouched_by = actor WHERE starts_with(actor, 'user:');
ALTER TABLE billing.bank_imports DROP CONSTRAINT bank_imports_check;
ALTER TABLE billing.bank_imports ADD CONSTRAINT bank_imports_check CHECK (
    form IN ('camt.053', 'csv') AND state IN ('read', 'asked', 'done', 'refused')
    AND (state IN ('read', 'asked')) = (ended_at IS NULL)
    AND (state = 'refused') = (why IS NOT NULL) AND lines >= 0 AND next_line >= 1
    AND alone_minor >= 0 AND (alone_minor = 0) = (alone_at IS NULL)
    AND (vouched_by IS NULL OR starts_with(vouched_by, 'user:'))
    AND (confirmed_by IS NULL OR vouched_by IS NOT NULL AND confirmed_by <> vouched_by AND starts_with(confirmed_by, 'user:')));
CREATE INDEX bank_imports_alone_idx ON billing.bank_imports (alone_at) WHERE alone_minor > 0;
CREATE INDEX bank_imports_asked_idx ON billing.bank_imports (id) WHERE state = 'asked';

-- What waits for a second person goes on only with one.
CREATE FUNCTION billing.keep_bank_import() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('done', 'refused') AND NEW.state <> OLD.state OR OLD.state = 'asked' AND NEW.state = 'read' AND NEW.confirmed_by IS NULL
        OR (NEW.actor, NEW.digest) IS DISTINCT FROM (OLD.actor, OLD.digest)
        OR OLD.vouched_by IS NOT NULL AND NEW.vouched_by IS DISTINCT FROM OLD.vouched_by
        OR OLD.confirmed_by IS NOT NULL AND NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by THEN
        RAISE EXCEPTION 'this change of the import % is refused', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_imports_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_bank_import BEFORE UPDATE ON billing.bank_imports
    FOR EACH ROW EXECUTE FUNCTION billing.keep_bank_import();
