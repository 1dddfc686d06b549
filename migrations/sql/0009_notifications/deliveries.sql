-- One piece of news on its way to one webhook. A lease keeps other workers away while one is sending.
CREATE TABLE core.deliveries (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES core.webhooks,
    outbox_id bigint,                      -- NULL: a test, sent by hand
    event text NOT NULL,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'dropped')),
    reason text CHECK (reason IN ('exhausted', 'gone', 'disabled', 'deleted')),
    attempts integer NOT NULL DEFAULT 0,   -- of all times
    tries integer NOT NULL DEFAULT 0,      -- since it was made or last replayed
    next_attempt_at timestamptz,
    leased_until timestamptz,
    CONSTRAINT deliveries_webhook_id_outbox_id_key UNIQUE (webhook_id, outbox_id),
    CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
    CHECK ((state IN ('failed', 'dropped')) = (reason IS NOT NULL))
);
CREATE INDEX deliveries_webhook_id_id_idx ON core.deliveries (webhook_id, id);
CREATE INDEX deliveries_due_idx ON core.deliveries (webhook_id, next_attempt_at) WHERE state = 'waiting';
CREATE INDEX deliveries_leased_idx ON core.deliveries (webhook_id) WHERE leased_until IS NOT NULL;

CREATE TABLE core.delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES core.deliveries,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    status smallint,                       -- NULL: no answer, and error says why
    error text,
    milliseconds integer NOT NULL,
    answer text NOT NULL,                  -- how it began
    PRIMARY KEY (delivery_id, number),
    CHECK ((status IS NULL) = (error IS NOT NULL))
);
