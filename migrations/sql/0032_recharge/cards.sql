-- A card that its owner let us keep: only the processor knows its number. One that was removed is never charged again.
CREATE TABLE billing.saved_cards (
    id uuid CONSTRAINT saved_cards_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    customer_id text NOT NULL,
    method_id text NOT NULL CONSTRAINT saved_cards_method_id_key UNIQUE,
    brand text NOT NULL,
    last4 text NOT NULL,
    exp_month integer NOT NULL,
    exp_year integer NOT NULL,
    saved_at timestamptz NOT NULL,
    removed_at timestamptz,
    removed_by text,
    CONSTRAINT saved_cards_check CHECK (
        exp_month BETWEEN 1 AND 12 AND (removed_at IS NULL) = (removed_by IS NULL))
);
CREATE INDEX saved_cards_account_id_idx ON billing.saved_cards (account_id) WHERE removed_at IS NULL;

-- A page on which a card is saved without paying, and what became of it.
CREATE TABLE billing.card_pages (
    id uuid CONSTRAINT card_pages_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'opening',
    session_id text CONSTRAINT card_pages_session_id_key UNIQUE,
    page_url text,
    card_id uuid CONSTRAINT card_pages_card_id_fkey REFERENCES billing.saved_cards,
    why text,
    actor text NOT NULL,
    opened_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT card_pages_check CHECK (
        state IN ('opening', 'open', 'saved', 'expired', 'refused')
        AND (state IN ('opening', 'open')) = (ended_at IS NULL)
        AND (state = 'open') <= (session_id IS NOT NULL)
        AND (state = 'saved') = (card_id IS NOT NULL))
);
CREATE INDEX card_pages_account_id_idx ON billing.card_pages (account_id, opened_at);
CREATE INDEX card_pages_open_idx ON billing.card_pages (opened_at) WHERE state IN ('opening', 'open');
