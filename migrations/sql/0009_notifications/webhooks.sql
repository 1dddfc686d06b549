-- Addresses that accounts want their news sent to, and the secrets that it is signed with, sealed.
CREATE TABLE core.webhooks (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES core.accounts,
    url text NOT NULL,
    events text[] CHECK (events <> '{}'),  -- NULL: all
    secret bytea NOT NULL,
    secret_generation smallint NOT NULL,
    old_secret bytea,                      -- signs too until then, so that a receiver may change over
    old_secret_generation smallint,
    old_secret_until timestamptz,
    created_at timestamptz NOT NULL,
    failing_since timestamptz,             -- the first failure after the last success
    disabled_at timestamptz,
    disabled_reason text CHECK (disabled_reason IN ('by_hand', 'gone', 'failing')),
    deleted_at timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CHECK (num_nulls(old_secret, old_secret_generation, old_secret_until) IN (0, 3))
);
CREATE INDEX webhooks_account_id_idx ON core.webhooks (account_id) WHERE deleted_at IS NULL;

-- Who has a key that manages keys could read all the account's news before, and may now have it sent.
UPDATE core.api_keys SET scopes = scopes || '{webhooks:manage}' WHERE 'keys:manage' = ANY (scopes);
