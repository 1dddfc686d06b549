-- The customer at the card processor that an account became with its first payment.
CREATE TABLE billing.card_customers (
    account_id uuid CONSTRAINT card_customers_pkey PRIMARY KEY,
    customer_id text NOT NULL CONSTRAINT card_customers_customer_id_key UNIQUE,
    seen_at timestamptz NOT NULL
);

-- Money that somebody wants to pay in by card, and what became of it.
CREATE TABLE billing.top_ups (
    id uuid CONSTRAINT top_ups_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    state text NOT NULL DEFAULT 'opening',
    session_id text CONSTRAINT top_ups_session_id_key UNIQUE,
    checkout_url text,
    payment_id text CONSTRAINT top_ups_payment_id_key UNIQUE,
    why text,
    actor text NOT NULL,
    opened_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT top_ups_check CHECK (
        amount_minor > 0 AND length(currency) = 3
        AND state IN ('opening', 'open', 'paid', 'expired', 'refused', 'set_aside')
        AND (state IN ('opening', 'open')) = (ended_at IS NULL)
        AND (state = 'open') <= (session_id IS NOT NULL)
        AND (state IN ('paid', 'set_aside')) <= (payment_id IS NOT NULL))
);
CREATE INDEX top_ups_account_id_idx ON billing.top_ups (account_id, opened_at);
CREATE INDEX top_ups_open_idx ON billing.top_ups (opened_at) WHERE state IN ('opening', 'open');

-- What is to be asked of the card processor: written in the transaction of the fact that needs it, sent without one.
-- 'sent' is without an outcome that we know of: the same key again, until the processor forgets keys.
CREATE TABLE billing.card_calls (
    id uuid CONSTRAINT card_calls_pkey PRIMARY KEY,
    verb text NOT NULL,
    subject_id uuid NOT NULL,
    idempotency_key text NOT NULL CONSTRAINT card_calls_idempotency_key_key UNIQUE,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'due',
    attempts integer NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    sent_at timestamptz,
    next_attempt_at timestamptz NOT NULL,
    ended_at timestamptz,
    object_id text,
    why text,
    CONSTRAINT card_calls_check CHECK (
        verb IN ('open_checkout', 'send_back')
        AND state IN ('due', 'sent', 'done', 'refused', 'lost')
        AND (state IN ('due', 'sent')) = (ended_at IS NULL)
        AND (state = 'due') = (sent_at IS NULL))
);
CREATE INDEX card_calls_open_idx ON billing.card_calls (next_attempt_at) WHERE state IN ('due', 'sent');
CREATE INDEX card_calls_subject_id_idx ON billing.card_calls (subject_id);

-- The processor's news, raw, each id once.
CREATE TABLE billing.card_news (
    id text CONSTRAINT card_news_pkey PRIMARY KEY,
    kind text NOT NULL,
    about text NOT NULL,
    object_id text,
    created_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    via text NOT NULL,
    raw bytea NOT NULL,
    handled_at timestamptz,
    outcome text,
    CONSTRAINT card_news_check CHECK (
        via IN ('webhook', 'poll') AND (handled_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX card_news_unhandled_idx ON billing.card_news (received_at) WHERE handled_at IS NULL;
CREATE INDEX card_news_created_at_idx ON billing.card_news (created_at);

-- Each movement of our balance at the processor, and the one transaction that books it.
CREATE TABLE billing.balance_transactions (
    id text CONSTRAINT balance_transactions_pkey PRIMARY KEY,
    kind text NOT NULL,
    source_id text,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    booked_as text,
    about_id text,
    transaction_id uuid
        CONSTRAINT balance_transactions_transaction_id_key UNIQUE
        CONSTRAINT balance_transactions_transaction_id_fkey REFERENCES billing.transactions,
    CONSTRAINT balance_transactions_check CHECK (
        net_minor = amount_minor - fee_minor
        AND (transaction_id IS NOT NULL) <= (booked_as IS NOT NULL))
);
CREATE INDEX balance_transactions_created_at_idx ON billing.balance_transactions (created_at, id);

CREATE INDEX balance_transactions_about_id_idx ON billing.balance_transactions (about_id);

-- What the processor last said of our balance, and how that differed from the movements that we knew then.
CREATE TABLE billing.card_balances (
    currency text CONSTRAINT card_balances_pkey PRIMARY KEY,
    told_minor bigint NOT NULL,
    difference_minor bigint NOT NULL,
    seen_at timestamptz NOT NULL
);

-- Unused money on its way back to the cards that it came from: an order of its owner, in parts, one a payment.
CREATE TABLE billing.give_backs (
    id uuid CONSTRAINT give_backs_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    actor text NOT NULL,
    ordered_at timestamptz NOT NULL,
    CONSTRAINT give_backs_check CHECK (amount_minor > 0)
);
CREATE INDEX give_backs_account_id_idx ON billing.give_backs (account_id, ordered_at);

CREATE TABLE billing.give_back_parts (
    id uuid CONSTRAINT give_back_parts_pkey PRIMARY KEY,
    give_back_id uuid NOT NULL CONSTRAINT give_back_parts_give_back_id_fkey REFERENCES billing.give_backs,
    top_up_id uuid NOT NULL CONSTRAINT give_back_parts_top_up_id_fkey REFERENCES billing.top_ups,
    amount_minor bigint NOT NULL,
    state text NOT NULL DEFAULT 'in_flight',
    refund_id text CONSTRAINT give_back_parts_refund_id_key UNIQUE,
    why text,
    ended_at timestamptz,
    CONSTRAINT give_back_parts_check CHECK (
        amount_minor > 0 AND state IN ('in_flight', 'sent', 'failed') AND (state = 'in_flight') = (ended_at IS NULL))
);
CREATE INDEX give_back_parts_give_back_id_idx ON billing.give_back_parts (give_back_id);
CREATE INDEX give_back_parts_top_up_id_idx ON billing.give_back_parts (top_up_id);

-- Payments that a card's owner took back through the bank.
CREATE TABLE billing.chargebacks (
    id text CONSTRAINT chargebacks_pkey PRIMARY KEY,
    top_up_id uuid NOT NULL CONSTRAINT chargebacks_top_up_id_fkey REFERENCES billing.top_ups,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    frozen_minor bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'announced',
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT chargebacks_check CHECK (
        amount_minor > 0 AND frozen_minor BETWEEN 0 AND amount_minor
        AND state IN ('announced', 'withdrawn', 'won', 'lost')
        AND (state IN ('won', 'lost')) = (ended_at IS NOT NULL))
);
CREATE INDEX chargebacks_account_id_idx ON billing.chargebacks (account_id);
