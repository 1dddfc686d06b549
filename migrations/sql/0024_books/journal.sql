-- The journal narrowed to a kind: the two kinds that every sale posts are found by going backwards, so they need no
-- index and the hot path writes none. A day is found by its blocks, since rows are added in the order of time.
CREATE INDEX transactions_rare_kind_idx ON billing.transactions (kind, id) WHERE kind <> 'hold' AND kind <> 'resolve';
CREATE INDEX transactions_occurred_at_idx ON billing.transactions USING brin (occurred_at) WITH (autosummarize = on);
