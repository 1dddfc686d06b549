-- `test IS FALSE` is how the program asks; `NOT test` would not be found to be the same.
-- What pages count by day: read from the index alone, however long the history is. What
-- they carry besides keeps them from the rows, which are wide. A sale's state is in the terms of other indexes already,
-- so its moves were never heap-only, and nothing is lost by carrying it.
CREATE INDEX leads_by_day_idx ON marketplace.leads (publisher_id, received_at) INCLUDE (status) WHERE test IS FALSE;
CREATE INDEX sales_bought_by_day_idx ON marketplace.sales (buyer_id, sold_at)
    INCLUDE (currency, state, price_minor, credited_minor, delivered_at);
CREATE INDEX sales_paid_by_day_idx ON marketplace.sales (publisher_id, sold_at) INCLUDE (currency, payout_minor);
CREATE INDEX disputes_bought_by_day_idx ON marketplace.disputes (buyer_id, opened_at);
CREATE INDEX disputes_sold_by_day_idx ON marketplace.disputes (publisher_id, opened_at);

-- An index answers alone only for pages that were vacuumed since they were filled; the default waits for a fifth of the
-- table.
ALTER TABLE marketplace.leads SET (autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER TABLE marketplace.sales SET (autovacuum_vacuum_insert_scale_factor = 0.02);
