-- One audit of the books: asked for by somebody, done check by check in jobs, ended when the last one was asked.
CREATE TABLE marketplace.audits (
    id uuid PRIMARY KEY,
    asked_by text NOT NULL,
    checks smallint NOT NULL CHECK (checks > 0),
    begun_at timestamptz NOT NULL,
    ended_at timestamptz,
    is_right boolean,
    figures jsonb,
    balance jsonb,
    CONSTRAINT audits_ended_check CHECK (
        (ended_at IS NULL) = (is_right IS NULL) AND (ended_at IS NULL) = (figures IS NULL)
        AND (ended_at IS NULL) = (balance IS NULL))
);

-- What one check of an audit found: no difference, or at most the first hundred.
CREATE TABLE marketplace.audit_findings (
    audit_id uuid NOT NULL REFERENCES marketplace.audits,
    number smallint NOT NULL CHECK (number >= 0),
    invariant text NOT NULL,
    name text NOT NULL,
    differences jsonb NOT NULL CHECK (jsonb_typeof(differences) = 'array'),
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (audit_id, number)
);

CREATE FUNCTION marketplace.keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audits' THEN
        IF OLD.ended_at IS NULL AND (NEW.id, NEW.asked_by, NEW.checks, NEW.begun_at)
            = (OLD.id, OLD.asked_by, OLD.checks, OLD.begun_at) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on marketplace.% is refused: what an audit found stays as it was found', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE ON marketplace.audits
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_audit();
CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE ON marketplace.audit_findings
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_audit();
