-- What a buyer allows all of his orders together, in versions that are never changed; no limit at all lifts them.
CREATE TABLE marketplace.buyer_limits (
    buyer_id uuid NOT NULL,
    version integer NOT NULL,
    timezone text NOT NULL,
    currency text,
    caps bigint[] NOT NULL,
    budgets bigint[] NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT buyer_limits_pkey PRIMARY KEY (buyer_id, version),
    CONSTRAINT buyer_limits_check CHECK (
        cardinality(caps) = 5 AND cardinality(budgets) = 5
        AND (currency IS NULL) = (num_nulls(budgets[1], budgets[2], budgets[3], budgets[4], budgets[5]) = 5))
);

-- One row a buyer who has limits counts what all of his orders bought, as order_counters do for one. Its zone names the
-- periods and stands in each of his orders' terms as well: a sale that goes by another, or by none, is not made. Money
-- is counted in one currency, leads in all.
CREATE TABLE marketplace.buyer_counters (
    buyer_id uuid PRIMARY KEY,
    timezone text,  -- NULL: nothing limits him now, and nothing is counted
    currency text,
    caps bigint[] NOT NULL,
    budgets bigint[] NOT NULL,
    starts bigint[] NOT NULL,
    leads_before bigint[] NOT NULL,
    spend_before bigint[] NOT NULL,
    leads_ceiling bigint NOT NULL,
    spend_ceiling bigint NOT NULL,
    total_leads bigint NOT NULL,
    total_spend bigint NOT NULL
);
