-- Keys whose posting was refused: the same request again is refused again, whatever has changed since.
CREATE TABLE billing.refusals (
    key text CONSTRAINT refusals_pkey PRIMARY KEY,
    kind text NOT NULL,
    code text NOT NULL,
    fingerprint bytea NOT NULL,
    actor text NOT NULL,
    occurred_at timestamptz NOT NULL
);
