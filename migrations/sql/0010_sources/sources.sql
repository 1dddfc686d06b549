-- Where publishers post who speak another dialect. `number` and the key, of which only the hash is kept, are the
-- credentials that the dialect sends; `sealed` holds what Meta gave the publisher.
CREATE TABLE marketplace.sources (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001),
    publisher_id uuid NOT NULL,
    dialect text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    vertical text NOT NULL REFERENCES marketplace.verticals (slug),
    status text NOT NULL CHECK (status IN ('active', 'paused', 'closed')),
    terms jsonb NOT NULL,
    key_hash bytea NOT NULL CHECK (length(key_hash) = 32),
    sealed bytea,
    sealed_key smallint,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT sources_number_key UNIQUE (number),
    CHECK ((sealed IS NULL) = (sealed_key IS NULL)),
    CHECK ((dialect = 'meta') = (sealed IS NOT NULL))
);
CREATE INDEX sources_publisher_id_idx ON marketplace.sources (publisher_id, id);

-- The leads that Meta announced, each once however often it announces it, until it is fetched or given up.
CREATE TABLE marketplace.meta_leads (
    source_id uuid NOT NULL REFERENCES marketplace.sources,
    leadgen_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'taken', 'refused', 'given_up')),
    attempts smallint NOT NULL DEFAULT 0,
    announced_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    lead_id uuid,
    reason text,
    PRIMARY KEY (source_id, leadgen_id),
    CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'taken') = (lead_id IS NOT NULL)),
    CHECK (state NOT IN ('refused', 'given_up') OR reason IS NOT NULL)
);
CREATE INDEX meta_leads_next_attempt_at_idx ON marketplace.meta_leads (next_attempt_at) WHERE state = 'waiting';
