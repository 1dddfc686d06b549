-- From which day (UTC) on terms of tax hold for what is supplied. Those that stand hold from the day on which they were
-- said; what is issued already stays.
ALTER TABLE billing.vat_terms DISABLE TRIGGER refuse_change;
ALTER TABLE billing.vat_terms ADD COLUMN valid_from date;
UPDATE billing.vat_terms SET valid_from = (said_at AT TIME ZONE 'UTC')::date;
ALTER TABLE billing.vat_terms ALTER COLUMN valid_from SET NOT NULL;
ALTER TABLE billing.vat_terms ENABLE TRIGGER refuse_change;

-- Nobody says terms for a month whose document is issued. Whoever issues one holds the same lock (billing.vat_alone).
CREATE FUNCTION billing.vat_alone(p_account uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('billing.vat:' || p_account, 0))
$$;
CREATE FUNCTION billing.keep_vat_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM billing.vat_alone(NEW.account_id);
    IF EXISTS (SELECT FROM billing.documents d
               WHERE d.account_id = NEW.account_id AND d.period IS NOT NULL
                 AND NEW.valid_from < (d.period + interval '1 month')::date) THEN
        RAISE EXCEPTION 'terms of tax from % on are refused: a document of that month is issued', NEW.valid_from
            USING ERRCODE = 'check_violation', CONSTRAINT = 'vat_terms_issued', SCHEMA = 'billing',
                  TABLE = 'vat_terms';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_vat_terms BEFORE INSERT ON billing.vat_terms
    FOR EACH ROW EXECUTE FUNCTION billing.keep_vat_terms();
