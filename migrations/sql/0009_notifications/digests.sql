-- Accounts that asked for a daily mail of their notices; no row, no mail.
CREATE TABLE core.digests (
    account_id uuid PRIMARY KEY REFERENCES core.accounts,
    told_until timestamptz NOT NULL,
    next_due_at timestamptz NOT NULL,
    CHECK (next_due_at > told_until)
);
