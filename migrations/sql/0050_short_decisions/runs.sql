-- What operators asked to see run again, how many of its leads the job has run so far, and the report once it has ended.
-- Erased after what_if.days.
CREATE TABLE marketplace.what_if_runs (
    id uuid CONSTRAINT what_if_runs_pkey PRIMARY KEY,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    change text NOT NULL,
    leads integer,
    done integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    report jsonb,
    CONSTRAINT what_if_runs_check CHECK (since < until AND (ended_at IS NULL) = (report IS NULL))
);
CREATE INDEX what_if_runs_waiting_idx ON marketplace.what_if_runs (asked_at) WHERE report IS NULL;
CREATE INDEX what_if_runs_asked_at_idx ON marketplace.what_if_runs (asked_at);
