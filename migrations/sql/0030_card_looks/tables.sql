-- How often each was looked at in vain: what errs again and again goes behind what does not.
ALTER TABLE billing.card_news ADD COLUMN misses integer NOT NULL DEFAULT 0;
ALTER TABLE billing.balance_transactions ADD COLUMN misses integer NOT NULL DEFAULT 0;
CREATE INDEX balance_transactions_unbooked_idx ON billing.balance_transactions (misses, created_at)
    WHERE booked_as IS NULL;

-- Up to when the processor's lists were read whole, and when they were last read far back.
CREATE TABLE billing.card_looks (
    what text CONSTRAINT card_looks_pkey PRIMARY KEY,
    seen_to timestamptz NOT NULL,
    deep_at timestamptz NOT NULL,
    CONSTRAINT card_looks_check CHECK (what IN ('news', 'movements', 'open'))
);
