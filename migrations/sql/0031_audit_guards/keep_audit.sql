-- What an audit found stays as it was found; it begins without an end, and ends with just what its checks found.
CREATE OR REPLACE FUNCTION marketplace.keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_found bigint;
    v_is_right boolean;
BEGIN
    IF TG_OP = 'INSERT' AND TG_TABLE_NAME = 'audits' THEN
        IF NEW.ended_at IS NULL THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        -- Locked, so that no finding comes in beside the end that counts them.
        PERFORM FROM marketplace.audits a WHERE a.id = NEW.audit_id AND a.ended_at IS NULL FOR SHARE;
        IF FOUND THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audits' THEN
        SELECT count(*), coalesce(bool_and(f.differences = '[]'), false) INTO v_found, v_is_right
        FROM marketplace.audit_findings f WHERE f.audit_id = OLD.id;
        IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
            AND (NEW.id, NEW.asked_by, NEW.begun_at) = (OLD.id, OLD.asked_by, OLD.begun_at)
            AND (NEW.checks, NEW.is_right) = (v_found, v_is_right) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on marketplace.% is refused: what an audit found stays as it was found', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER keep_new_audit BEFORE INSERT ON marketplace.audits
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_audit();
CREATE TRIGGER keep_new_audit BEFORE INSERT ON marketplace.audit_findings
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_audit();
CREATE TRIGGER keep_all_audits BEFORE TRUNCATE ON marketplace.audits
    FOR EACH STATEMENT EXECUTE FUNCTION marketplace.keep_audit();
CREATE TRIGGER keep_all_audits BEFORE TRUNCATE ON marketplace.audit_findings
    FOR EACH STATEMENT EXECUTE FUNCTION marketplace.keep_audit();
