-- What a wallet spends a day, as the market counted it lately, and since when it is too low for that.
CREATE TABLE billing.wallet_paces (
    account_id uuid NOT NULL,
    currency text NOT NULL,
    daily_minor bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    low_since timestamptz,
    CONSTRAINT wallet_paces_pkey PRIMARY KEY (account_id, currency),
    CONSTRAINT wallet_paces_check CHECK (daily_minor >= 0)
);
