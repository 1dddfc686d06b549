-- A report is never rewritten; only its note may be taken out, since people may ask to be forgotten.
CREATE FUNCTION marketplace.keep_dispositions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.note IS NULL THEN
        NEW.note := OLD.note;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            NEW.note := NULL;
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% on marketplace.dispositions is refused: reports are only added to', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER keep_dispositions BEFORE UPDATE OR DELETE ON marketplace.dispositions
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_dispositions();
