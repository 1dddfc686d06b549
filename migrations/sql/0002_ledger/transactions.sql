-- The journal: transactions, and their entries (debit positive) which sum to zero; neither ever changes.
CREATE TABLE billing.transactions (
    id uuid CONSTRAINT transactions_pkey PRIMARY KEY DEFAULT uuidv7(),
    key text NOT NULL CONSTRAINT transactions_key_key UNIQUE,
    kind text NOT NULL,
    currency text NOT NULL CONSTRAINT transactions_currency_check CHECK (length(currency) = 3),
    fingerprint bytea,
    source text,
    actor text NOT NULL,
    reason text,
    reverses uuid CONSTRAINT transactions_reverses_fkey REFERENCES billing.transactions,
    occurred_at timestamptz NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Which database transaction wrote it: entries may only join a transaction of their own database transaction,
    -- and a reader can tell what every later snapshot will also contain (posted_in < pg_snapshot_xmin).
    posted_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);

-- Whether an entry may stand in this account: the account is of the chart, only guarded accounts have an owner, and
-- all of those, and only income has a sub-account. A function in the CHECK, since the text of a long CHECK is read anew by
-- every statement that inserts, which cost a tenth of a sale; and no foreign key, which would lock the same few rows of
-- the chart in every sale.
CREATE FUNCTION billing.is_account(p_account smallint, p_owned boolean, p_divided boolean) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN p_account IN (1100, 1110, 2000, 2010, 2020, 2030, 2100, 2110, 2120) THEN p_owned AND NOT p_divided
        WHEN p_account = 4000 THEN p_divided AND NOT p_owned
        WHEN p_account IN (1000, 1010, 1020, 1030, 1040, 1120, 2200, 2210, 2900, 3000, 4100, 5000, 5100, 5110, 5200,
                           5300, 5900) THEN NOT p_owned AND NOT p_divided
        ELSE false END;
END $$;

-- The transaction has no foreign key because check_entries asks for more: that it is of the same database transaction.
CREATE TABLE billing.entries (
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    account smallint NOT NULL,
    sub_account text,
    owner_id uuid,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT entries_amount_check CHECK (amount_minor <> 0),
    CONSTRAINT entries_pkey PRIMARY KEY (transaction_id, line),
    CONSTRAINT entries_account_check CHECK (
        billing.is_account(account, owner_id IS NOT NULL, sub_account IS NOT NULL))
);

CREATE INDEX entries_history ON billing.entries (owner_id, transaction_id) WHERE owner_id IS NOT NULL;
