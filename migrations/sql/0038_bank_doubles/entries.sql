-- By what an entry is known again on any day, and of a part of a batch, the identity, mark and amount of the unsplit one.
ALTER TABLE billing.bank_entries
    ADD COLUMN mark text NOT NULL DEFAULT '',
    ADD COLUMN whole text NOT NULL DEFAULT '',
    ADD COLUMN whole_mark text NOT NULL DEFAULT '',
    ADD COLUMN whole_minor bigint NOT NULL DEFAULT 0;

-- The day belongs to the identity of what is known by the bank's reference.
ALTER TABLE billing.bank_entries DISABLE TRIGGER refuse_change;
UPDATE billing.bank_entries e SET mark = l.mark
FROM billing.bank_lines l WHERE l.import_id = e.import_id AND l.number = e.number;
UPDATE billing.bank_entries e SET identity = e.mark || '@' || e.booked_on || CASE WHEN n.n > 0 THEN ':#' || n.n ELSE '' END
FROM (SELECT id, row_number() OVER (PARTITION BY iban, currency, mark, booked_on ORDER BY id) - 1 AS n
      FROM billing.bank_entries) n
WHERE n.id = e.id AND starts_with(e.mark, 'ref:');
ALTER TABLE billing.bank_entries ENABLE TRIGGER refuse_change;

CREATE INDEX bank_entries_mark_idx ON billing.bank_entries (iban, currency, mark);
CREATE INDEX bank_entries_whole_idx ON billing.bank_entries (iban, currency, whole) WHERE whole <> '';
CREATE INDEX bank_entries_whole_mark_idx ON billing.bank_entries (iban, currency, whole_mark) WHERE whole <> '';
CREATE INDEX bank_entries_whole_day_idx ON billing.bank_entries (iban, currency, booked_on, whole_minor) WHERE whole <> '';

-- What a bank told of in one amount is not booked in parts as well, nor in the parts that another file tells.
CREATE FUNCTION billing.check_bank_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('billing.bank:' || NEW.iban, 0));
    IF EXISTS (SELECT FROM billing.bank_entries e
               WHERE e.iban = NEW.iban AND e.currency = NEW.currency AND e.whole <> '' AND e.whole = NEW.identity)
        OR NEW.whole <> '' AND (
            EXISTS (SELECT FROM billing.bank_entries e
                    WHERE e.iban = NEW.iban AND e.currency = NEW.currency AND e.identity = NEW.whole)
            OR EXISTS (SELECT FROM billing.bank_entries e
                       WHERE e.iban = NEW.iban AND e.currency = NEW.currency AND e.whole <> '' AND e.whole = NEW.whole
                         AND e.import_id <> NEW.import_id)) THEN
        RAISE EXCEPTION 'the entry % of the bank is booked already, whole or in parts', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_entries_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_bank_whole AFTER INSERT ON billing.bank_entries
    FOR EACH ROW EXECUTE FUNCTION billing.check_bank_whole();
