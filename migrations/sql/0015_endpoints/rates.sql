-- How often an account did something since a window began, by real time.
CREATE TABLE core.rates (
    account_id uuid NOT NULL,
    what text NOT NULL,
    began_at timestamptz NOT NULL,
    used integer NOT NULL CHECK (used > 0),
    CONSTRAINT rates_pkey PRIMARY KEY (account_id, what)
);
