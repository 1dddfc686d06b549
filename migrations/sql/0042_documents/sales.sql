-- Sales that ended without paying their publisher: few, and looked for by month.
CREATE INDEX sales_unpaid_idx ON marketplace.sales (publisher_id, ended_at)
    WHERE state IN ('returned', 'refused', 'failed') OR (state = 'settled' AND payout_minor = 0);
