-- What a statement shows of a payout by file: a debit that paid it, or a credit by which it came back, each told once.
ALTER TABLE billing.bank_lines DROP CONSTRAINT bank_lines_check;
ALTER TABLE billing.bank_lines ADD CONSTRAINT bank_lines_check CHECK (
    outcome IN ('waits', 'credited', 'suspense', 'settled', 'payout', 'repeated', 'skipped', 'refused')
    AND (entry_id IS NULL) = (outcome IN ('waits', 'skipped', 'refused')));
ALTER TABLE billing.bank_entries
    ADD COLUMN payout_id uuid CONSTRAINT bank_entries_payout_id_fkey REFERENCES billing.payouts;
ALTER TABLE billing.bank_entries DROP CONSTRAINT bank_entries_check;
ALTER TABLE billing.bank_entries ADD CONSTRAINT bank_entries_check CHECK (
    amount_minor <> 0 AND outcome IN ('credited', 'suspense', 'settled', 'payout')
    AND (outcome = 'credited') = (pro_forma_id IS NOT NULL) AND (outcome = 'payout') = (payout_id IS NOT NULL)
    AND (outcome = 'suspense') = (reason <> '') AND (outcome <> 'credited' OR amount_minor > 0)
    AND (outcome <> 'settled' OR amount_minor < 0));
CREATE UNIQUE INDEX bank_entries_paid_idx ON billing.bank_entries (payout_id)
    WHERE payout_id IS NOT NULL AND amount_minor < 0;
CREATE UNIQUE INDEX bank_entries_came_back_idx ON billing.bank_entries (payout_id)
    WHERE payout_id IS NOT NULL AND amount_minor > 0;
