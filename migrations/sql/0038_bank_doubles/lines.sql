-- Which a line is of those that look the same on one day of its statement; and of a part of a batch, by what the unsplit
-- batch is known again, which it is, its amount, and the line on which it begins.
ALTER TABLE billing.bank_lines
    ADD COLUMN ordinal integer NOT NULL DEFAULT 0,
    ADD COLUMN whole text NOT NULL DEFAULT '',
    ADD COLUMN whole_ordinal integer NOT NULL DEFAULT 0,
    ADD COLUMN whole_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN batch integer NOT NULL DEFAULT 0;
CREATE INDEX bank_lines_entry_id_idx ON billing.bank_lines (entry_id) WHERE entry_id IS NOT NULL;
CREATE INDEX bank_lines_whole_idx ON billing.bank_lines (whole) WHERE whole <> '';

-- A long reference of a bank is known again by its digest: no index takes a row of any length.
UPDATE billing.bank_lines SET mark = 'ref:' || encode(sha256(convert_to(btrim(bank_reference), 'UTF8')), 'hex') || ':' || amount_minor
WHERE starts_with(mark, 'ref:') AND length(btrim(bank_reference)) > 64;
UPDATE billing.bank_lines l SET ordinal = n.ordinal
FROM (SELECT import_id, number, row_number() OVER (
          PARTITION BY import_id, statement, mark, booked_on ORDER BY number) - 1 AS ordinal
      FROM billing.bank_lines WHERE outcome NOT IN ('skipped', 'refused')) n
WHERE n.import_id = l.import_id AND n.number = l.number AND n.ordinal > 0;
