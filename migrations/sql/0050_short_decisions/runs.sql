-- What operators asked to see run again, and the report once a job has made it.
CREATE TABLE marketplace.what_if_runs (
    id uuid CONSTRAINT what_if_runs_pkey PRIMARY KEY,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    change text NOT NULL,
    ended_at timestamptz,
    report jsonb,
    CONSTRAINT what_if_runs_check CHECK (since < until AND (ended_at IS NULL) = (report IS NULL))
);
CREATE INDEX what_if_runs_waiting_idx ON marketplace.what_if_runs (asked_at) WHERE report IS NULL;
