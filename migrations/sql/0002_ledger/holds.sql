-- Money set aside, and how each hold ended: a second row, once. A hold has no foreign key to its transaction, because
-- place_hold alone writes holds, each with its transaction, and neither can be deleted: the key's check would lock a
-- row in every hold to learn what is known.
CREATE TABLE billing.holds (
    id uuid CONSTRAINT holds_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT holds_amount_check CHECK (amount_minor > 0),
    promo_minor bigint NOT NULL CONSTRAINT holds_promo_check CHECK (promo_minor BETWEEN 0 AND amount_minor),
    kind text NOT NULL CONSTRAINT holds_kind_check CHECK (length(kind) BETWEEN 1 AND 40),
    transaction_id uuid NOT NULL,
    placed_at timestamptz NOT NULL
);

-- The columns are the whole content of the request, so that a repeat can be told from a contradiction.
CREATE TABLE billing.hold_resolutions (
    hold_id uuid CONSTRAINT hold_resolutions_pkey PRIMARY KEY
        CONSTRAINT hold_resolutions_hold_id_fkey REFERENCES billing.holds,
    outcome text NOT NULL CONSTRAINT hold_resolutions_outcome_check CHECK (
        outcome IN ('captured', 'released', 'expired', 'split')),
    captured_minor bigint NOT NULL CONSTRAINT hold_resolutions_captured_check CHECK (captured_minor >= 0),
    released_minor bigint NOT NULL CONSTRAINT hold_resolutions_released_check CHECK (released_minor >= 0),
    released_promo_minor bigint NOT NULL CONSTRAINT hold_resolutions_released_promo_check CHECK (
        released_promo_minor BETWEEN 0 AND released_minor),
    earner_id uuid CONSTRAINT hold_resolutions_earner_check CHECK (share_minor = 0 OR earner_id IS NOT NULL),
    share_minor bigint NOT NULL CONSTRAINT hold_resolutions_share_check CHECK (
        share_minor BETWEEN 0 AND captured_minor),
    reserve_minor bigint NOT NULL CONSTRAINT hold_resolutions_reserve_check CHECK (
        reserve_minor BETWEEN 0 AND share_minor),
    reserve_until timestamptz CONSTRAINT hold_resolutions_reserve_until_check CHECK (
        reserve_minor = 0 OR reserve_until IS NOT NULL),
    -- Deferred, because the resolution is the claim and is written before what it books.
    transaction_id uuid NOT NULL CONSTRAINT hold_resolutions_transaction_id_fkey
        REFERENCES billing.transactions DEFERRABLE INITIALLY DEFERRED,
    resolved_at timestamptz NOT NULL
);
