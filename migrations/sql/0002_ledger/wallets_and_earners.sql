-- The guarded accounts: cached balances that can never go below zero, one row per owner and currency.
CREATE TABLE billing.wallets (
    account_id uuid NOT NULL,
    currency text NOT NULL CONSTRAINT wallets_currency_check CHECK (length(currency) = 3),
    available bigint NOT NULL DEFAULT 0 CONSTRAINT wallets_available_check CHECK (available >= 0),
    held bigint NOT NULL DEFAULT 0 CONSTRAINT wallets_held_check CHECK (held >= 0),
    frozen bigint NOT NULL DEFAULT 0 CONSTRAINT wallets_frozen_check CHECK (frozen >= 0),
    promo bigint NOT NULL DEFAULT 0 CONSTRAINT wallets_promo_check CHECK (promo >= 0),
    suspended_at timestamptz,
    CONSTRAINT wallets_pkey PRIMARY KEY (account_id, currency)
) WITH (fillfactor = 50);  -- room for the many versions of a busy row on its own page

CREATE TABLE billing.earners (
    account_id uuid NOT NULL,
    currency text NOT NULL CONSTRAINT earners_currency_check CHECK (length(currency) = 3),
    payable bigint NOT NULL DEFAULT 0 CONSTRAINT earners_payable_check CHECK (payable >= 0),
    reserve bigint NOT NULL DEFAULT 0 CONSTRAINT earners_reserve_check CHECK (reserve >= 0),
    in_flight bigint NOT NULL DEFAULT 0 CONSTRAINT earners_in_flight_check CHECK (in_flight >= 0),
    CONSTRAINT earners_pkey PRIMARY KEY (account_id, currency)
) WITH (fillfactor = 50);
