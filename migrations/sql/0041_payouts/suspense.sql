-- What a statement shows of payouts by file is told apart from what is nobody's: an operator moves it to them.
ALTER TABLE billing.suspense_moves DROP CONSTRAINT suspense_moves_check;
ALTER TABLE billing.suspense_moves ADD CONSTRAINT suspense_moves_check CHECK (
    kind IN ('assign', 'return', 'fees', 'fx', 'charge', 'payouts') AND amount_minor <> 0
    AND (kind IN ('fees', 'fx', 'payouts') OR (amount_minor < 0) = (kind = 'charge'))
    AND (kind IN ('assign', 'charge')) = (account_id IS NOT NULL) AND (kind = 'return') = (reference IS NOT NULL)
    AND state IN ('proposed', 'owed', 'done', 'withdrawn') AND (state <> 'owed' OR kind = 'return')
    AND (state IN ('done', 'withdrawn')) = (ended_at IS NOT NULL) AND confirmed_by <> actor
    AND against_id <> transaction_id
    AND num_nonnulls(entry_id, against_id) <= CASE WHEN kind = 'return' AND state = 'done' THEN 1 ELSE 0 END
    AND length(btrim(reason)) BETWEEN 1 AND 1000);
