-- What is kept back of an earner's share until a day, one lot per captured hold, and how each lot ended.
CREATE TABLE billing.reserve_lots (
    id uuid CONSTRAINT reserve_lots_pkey PRIMARY KEY
        CONSTRAINT reserve_lots_id_fkey REFERENCES billing.hold_resolutions,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT reserve_lots_amount_check CHECK (amount_minor > 0),
    matures_at timestamptz NOT NULL,
    closed_at timestamptz
);

CREATE INDEX reserve_lots_open ON billing.reserve_lots (matures_at, id) WHERE closed_at IS NULL;

CREATE TABLE billing.lot_resolutions (
    lot_id uuid CONSTRAINT lot_resolutions_pkey PRIMARY KEY
        CONSTRAINT lot_resolutions_lot_id_fkey REFERENCES billing.reserve_lots,
    matured_minor bigint NOT NULL CONSTRAINT lot_resolutions_matured_check CHECK (matured_minor >= 0),
    clawed_back_minor bigint NOT NULL CONSTRAINT lot_resolutions_clawed_back_check CHECK (clawed_back_minor >= 0),
    transaction_id uuid NOT NULL CONSTRAINT lot_resolutions_transaction_id_fkey REFERENCES billing.transactions,
    resolved_at timestamptz NOT NULL
);
