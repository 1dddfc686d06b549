-- The ground floor: who may act, what was already answered, what is still to be told, and what time it is.
CREATE SCHEMA core;

CREATE TABLE core.accounts (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('publisher', 'buyer', 'operator')),
    name text NOT NULL CHECK (name <> ''),
    standing text NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'suspended')),
    created_at timestamptz NOT NULL
);

CREATE TABLE core.users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email)),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT users_email_key UNIQUE (email)
);

CREATE TABLE core.memberships (
    user_id uuid NOT NULL REFERENCES core.users,
    account_id uuid NOT NULL REFERENCES core.accounts,
    role text NOT NULL CHECK (role IN ('owner', 'member')),
    PRIMARY KEY (user_id, account_id)
);
CREATE INDEX memberships_account_id_idx ON core.memberships (account_id);

CREATE TABLE core.api_keys (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES core.accounts,
    name text NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    hint text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT api_keys_hash_key UNIQUE (hash)
);
CREATE INDEX api_keys_account_id_idx ON core.api_keys (account_id);

-- One row per answer that must be given again (the IETF draft's Idempotency-Key), stored with its effect.
CREATE TABLE core.idempotency (
    account_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    answer jsonb NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, route, key)
);
CREATE INDEX idempotency_answered_at_idx ON core.idempotency (answered_at);

-- News written in the transaction of the fact it announces; the relay hands it to the queue and removes it.
CREATE TABLE core.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL
);

-- What happened, for the account that it concerns; written from the outbox, once for each row of it.
CREATE TABLE core.notices (
    outbox_id bigint NOT NULL,
    account_id uuid NOT NULL,
    event text NOT NULL,
    payload jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (outbox_id, account_id)
);
CREATE INDEX notices_account_id_idx ON core.notices (account_id, occurred_at);

-- One row per slot of a scheduled job: whoever inserts it runs it, however many schedulers there are.
CREATE TABLE core.ticks (
    job text NOT NULL,
    slot timestamptz NOT NULL,
    PRIMARY KEY (job, slot)
);

-- Business time: at real_at it was business_at, and it runs `rate` times as fast. No row means real time.
CREATE TABLE core.clock (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    real_at timestamptz NOT NULL,
    business_at timestamptz NOT NULL,
    rate double precision NOT NULL CHECK (rate > 0)
);

-- Secrets of this installation (the pepper of person keys, the key that encrypts contacts), by name and generation.
CREATE TABLE core.secrets (
    name text NOT NULL,
    generation smallint NOT NULL,
    value bytea NOT NULL CHECK (length(value) = 32),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (name, generation)
);
