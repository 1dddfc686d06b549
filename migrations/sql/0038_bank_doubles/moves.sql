-- Money that the bank took back is charged to the wallet that had it.
ALTER TABLE billing.suspense_moves DROP CONSTRAINT suspense_moves_check;
ALTER TABLE billing.suspense_moves ADD CONSTRAINT suspense_moves_check CHECK (
    kind IN ('assign', 'return', 'fees', 'fx', 'charge') AND amount_minor <> 0
    AND (kind IN ('fees', 'fx') OR (amount_minor < 0) = (kind = 'charge'))
    AND (kind IN ('assign', 'charge')) = (account_id IS NOT NULL) AND (kind = 'return') = (reference IS NOT NULL)
    AND state IN ('proposed', 'owed', 'done', 'withdrawn') AND (state <> 'owed' OR kind = 'return')
    AND (state IN ('done', 'withdrawn')) = (ended_at IS NOT NULL) AND confirmed_by <> actor
    AND against_id <> transaction_id AND num_nonnulls(entry_id, against_id) <= CASE WHEN kind = 'return' AND state = 'done' THEN 1 ELSE 0 END
    AND length(btrim(reason)) BETWEEN 1 AND 1000);
CREATE INDEX suspense_moves_actor_idx ON billing.suspense_moves (asked_at, actor);
CREATE INDEX suspense_moves_account_id_idx ON billing.suspense_moves (account_id) WHERE account_id IS NOT NULL;
