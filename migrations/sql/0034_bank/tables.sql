-- The bank accounts of the exchange: the newest of a currency is where transfers go, all of them are ours.
CREATE TABLE billing.bank_accounts (
    id uuid CONSTRAINT bank_accounts_pkey PRIMARY KEY,
    currency text NOT NULL,
    payee text NOT NULL,
    iban text NOT NULL,
    bic text NOT NULL,
    actor text NOT NULL,
    said_at timestamptz NOT NULL,
    CONSTRAINT bank_accounts_check CHECK (
        length(currency) = 3 AND length(payee) BETWEEN 1 AND 70 AND iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'
        AND bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$')
);
CREATE INDEX bank_accounts_currency_idx ON billing.bank_accounts (currency, said_at);

-- Money that somebody means to transfer, under the reference by which it is known again; it never expires.
CREATE TABLE billing.pro_formas (
    id uuid CONSTRAINT pro_formas_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    received_minor bigint NOT NULL DEFAULT 0,
    reference text NOT NULL CONSTRAINT pro_formas_reference_key UNIQUE,
    bank_account_id uuid NOT NULL CONSTRAINT pro_formas_bank_account_id_fkey REFERENCES billing.bank_accounts,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    CONSTRAINT pro_formas_check CHECK (
        amount_minor > 0 AND received_minor >= 0 AND length(currency) = 3 AND reference ~ '^RF[0-9]{14}$')
);
CREATE INDEX pro_formas_account_id_idx ON billing.pro_formas (account_id, asked_at);

-- A file that was imported, or refused whole with the reason.
CREATE TABLE billing.bank_imports (
    id uuid CONSTRAINT bank_imports_pkey PRIMARY KEY,
    form text NOT NULL,
    file_name text NOT NULL,
    digest bytea NOT NULL,
    state text NOT NULL DEFAULT 'read',
    lines integer NOT NULL DEFAULT 0,
    next_line integer NOT NULL DEFAULT 1,
    why text,
    actor text NOT NULL,
    sent_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT bank_imports_check CHECK (
        form IN ('camt.053', 'csv') AND state IN ('read', 'done', 'refused') AND (state = 'read') = (ended_at IS NULL)
        AND (state = 'refused') = (why IS NOT NULL) AND lines >= 0 AND next_line >= 1)
);
CREATE INDEX bank_imports_sent_at_idx ON billing.bank_imports (sent_at, id);

-- One statement of a file.
CREATE TABLE billing.bank_statements (
    import_id uuid NOT NULL CONSTRAINT bank_statements_import_id_fkey REFERENCES billing.bank_imports,
    number integer NOT NULL,
    iban text NOT NULL,
    currency text NOT NULL,
    name text NOT NULL,
    opening_minor bigint,
    closing_minor bigint,
    is_proven boolean NOT NULL DEFAULT false,
    gap_minor bigint,
    sent_at timestamptz NOT NULL,
    CONSTRAINT bank_statements_pkey PRIMARY KEY (import_id, number)
);
CREATE INDEX bank_statements_iban_idx ON billing.bank_statements (iban, currency, sent_at, number);

-- One line of a file as it was read, and what became of it; of an entry of a CAMT.053 the number counts on.
CREATE TABLE billing.bank_lines (
    import_id uuid NOT NULL CONSTRAINT bank_lines_import_id_fkey REFERENCES billing.bank_imports,
    number integer NOT NULL,
    statement integer NOT NULL,
    line integer NOT NULL,
    booked_on date,
    amount_minor bigint NOT NULL,
    mark text NOT NULL,
    bank_reference text NOT NULL,
    reference text NOT NULL,
    said text NOT NULL,
    counterparty text NOT NULL,
    counterparty_iban text NOT NULL,
    is_reversal boolean NOT NULL,
    doubt text NOT NULL,
    outcome text NOT NULL,
    code text NOT NULL,
    says text NOT NULL,
    entry_id uuid,
    CONSTRAINT bank_lines_pkey PRIMARY KEY (import_id, number),
    CONSTRAINT bank_lines_check CHECK (
        outcome IN ('waits', 'credited', 'suspense', 'settled', 'repeated', 'skipped', 'refused')
        AND (entry_id IS NULL) = (outcome IN ('waits', 'skipped', 'refused')))
);
CREATE INDEX bank_lines_mark_idx ON billing.bank_lines (import_id, mark, number);

-- An entry of a bank account, known again by its identity: it is booked once, by the transaction `bank:{id}`.
CREATE TABLE billing.bank_entries (
    id uuid CONSTRAINT bank_entries_pkey PRIMARY KEY,
    iban text NOT NULL,
    currency text NOT NULL,
    identity text NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    booked_on date NOT NULL,
    amount_minor bigint NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    pro_forma_id uuid CONSTRAINT bank_entries_pro_forma_id_fkey REFERENCES billing.pro_formas,
    CONSTRAINT bank_entries_identity_key UNIQUE (iban, currency, identity),
    CONSTRAINT bank_entries_line_fkey FOREIGN KEY (import_id, number) REFERENCES billing.bank_lines,
    CONSTRAINT bank_entries_check CHECK (
        amount_minor <> 0 AND outcome IN ('credited', 'suspense', 'settled')
        AND (outcome = 'credited') = (pro_forma_id IS NOT NULL) AND (outcome = 'suspense') = (reason <> '')
        AND (outcome <> 'credited' OR amount_minor > 0) AND (outcome <> 'settled' OR amount_minor < 0))
);
CREATE INDEX bank_entries_pro_forma_id_idx ON billing.bank_entries (pro_forma_id) WHERE pro_forma_id IS NOT NULL;
CREATE INDEX bank_entries_day_idx ON billing.bank_entries (iban, currency, booked_on, amount_minor);
