-- Where an earner is paid. What counts is the one row of his that has not ended; what it says of where never changes.
CREATE TABLE billing.payout_rails (
    id uuid CONSTRAINT payout_rails_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    destination text,
    holder text NOT NULL,
    country text NOT NULL,
    bic text,
    reason text,
    says text,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    checked_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT payout_rails_check CHECK (
        kind IN ('connect', 'sepa', 'wise', 'paypal') AND state IN ('opening', 'pending', 'ready', 'blocked', 'closed')
        AND (destination IS NOT NULL OR (kind = 'connect' AND state IN ('opening', 'blocked'))) AND length(country) = 2)
);
CREATE UNIQUE INDEX payout_rails_present ON billing.payout_rails (account_id) WHERE ended_at IS NULL;
CREATE INDEX payout_rails_destination_idx ON billing.payout_rails (destination);

-- One slot of a schedule in one currency, or one wish of an earner; `seen_to` is the last account that was looked at.
CREATE TABLE billing.payout_runs (
    id uuid CONSTRAINT payout_runs_pkey PRIMARY KEY,
    key text NOT NULL CONSTRAINT payout_runs_key_key UNIQUE,
    currency text NOT NULL,
    due_on date NOT NULL,
    seen_to uuid,
    begun_by text NOT NULL,
    begun_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT payout_runs_check CHECK (length(currency) = 3)
);
CREATE INDEX payout_runs_open_idx ON billing.payout_runs (id) WHERE ended_at IS NULL;

-- What is given to a bank or a payer of another kind; its bytes stay as they were made.
CREATE TABLE billing.payout_files (
    id uuid CONSTRAINT payout_files_pkey PRIMARY KEY,
    kind text NOT NULL,
    currency text NOT NULL,
    lines integer NOT NULL,
    amount_minor bigint NOT NULL,
    content bytea NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    handed_by text,
    handed_at timestamptz,
    cancelled_at timestamptz,
    CONSTRAINT payout_files_check CHECK (
        kind IN ('sepa', 'wise', 'paypal') AND lines > 0 AND amount_minor > 0
        AND (handed_at IS NULL) = (handed_by IS NULL) AND (handed_at IS NULL OR cancelled_at IS NULL))
);

CREATE TABLE billing.payouts (
    id uuid CONSTRAINT payouts_pkey PRIMARY KEY,
    run_id uuid NOT NULL CONSTRAINT payouts_run_id_fkey REFERENCES billing.payout_runs,
    account_id uuid NOT NULL,
    attempt smallint NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    back_minor bigint NOT NULL DEFAULT 0,
    rail_id uuid CONSTRAINT payouts_rail_id_fkey REFERENCES billing.payout_rails,
    state text NOT NULL,
    reason text,
    says text,
    needs_review boolean NOT NULL DEFAULT false,
    needs_second boolean NOT NULL DEFAULT false,
    approved_by text,
    seconded_by text,
    object_id text CONSTRAINT payouts_object_id_key UNIQUE,
    file_id uuid CONSTRAINT payouts_file_id_fkey REFERENCES billing.payout_files,
    drafted_at timestamptz NOT NULL,
    ordered_at timestamptz,
    moved_by text NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT payouts_run_id_account_id_attempt_key UNIQUE (run_id, account_id, attempt),
    CONSTRAINT payouts_amount_check CHECK (
        length(currency) = 3 AND attempt > 0 AND back_minor BETWEEN 0 AND amount_minor
        AND (amount_minor > 0 OR state = 'skipped')),
    CONSTRAINT payouts_state_check CHECK (
        (rail_id IS NOT NULL OR state = 'skipped')
        AND (reason IS NOT NULL OR state NOT IN ('skipped', 'withdrawn', 'refused'))
        AND (ordered_at IS NULL) = (state IN ('skipped', 'drafted', 'approved', 'withdrawn'))
        AND (back_minor = amount_minor) = (
            state IN ('refused', 'reversed') OR (state = 'failed' AND file_id IS NOT NULL) OR amount_minor = 0)),
    -- Above the limit two different people, at a first payout one: a program is nobody.
    CONSTRAINT payouts_approved_check CHECK (
        state IN ('skipped', 'drafted', 'withdrawn')
        OR (approved_by IS NOT NULL AND needs_review <= starts_with(approved_by, 'user:')
            AND needs_second <= (starts_with(approved_by, 'user:') AND starts_with(coalesce(seconded_by, ''), 'user:')
                                 AND approved_by <> seconded_by)))
);
CREATE UNIQUE INDEX payouts_waiting ON billing.payouts (account_id, currency) WHERE state IN ('drafted', 'approved');
CREATE INDEX payouts_account_id_idx ON billing.payouts (account_id, id);
CREATE INDEX payouts_open_idx ON billing.payouts (state, id) WHERE state IN ('drafted', 'approved', 'ordered', 'sent');
CREATE INDEX payouts_file_id_idx ON billing.payouts (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX payouts_rail_id_idx ON billing.payouts (rail_id);

-- Which way a payout goes, and each step that one took.
CREATE TABLE billing.payout_stages (
    from_state text NOT NULL,
    to_state text NOT NULL,
    CONSTRAINT payout_stages_pkey PRIMARY KEY (from_state, to_state)
);
CREATE TABLE billing.payout_events (
    payout_id uuid NOT NULL CONSTRAINT payout_events_payout_id_fkey REFERENCES billing.payouts,
    number integer NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    reason text,
    says text,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT payout_events_pkey PRIMARY KEY (payout_id, number)
);

-- A transfer that an operator wants back, in whole; the movement books what comes, whoever asked for it.
CREATE TABLE billing.payout_reversals (
    id uuid CONSTRAINT payout_reversals_pkey PRIMARY KEY,
    payout_id uuid NOT NULL CONSTRAINT payout_reversals_payout_id_fkey REFERENCES billing.payouts,
    amount_minor bigint NOT NULL,
    state text NOT NULL DEFAULT 'asked',
    says text,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT payout_reversals_check CHECK (
        amount_minor > 0 AND state IN ('asked', 'done', 'refused') AND (state = 'asked') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX payout_reversals_asked ON billing.payout_reversals (payout_id) WHERE state = 'asked';

-- What an earner's own bank sent back to his account at the processor; the money is his and waits for him there.
CREATE TABLE billing.payout_returns (
    id text CONSTRAINT payout_returns_pkey PRIMARY KEY,
    destination text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    code text NOT NULL,
    says text NOT NULL,
    made_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    mended_at timestamptz
);
CREATE INDEX payout_returns_destination_idx ON billing.payout_returns (destination, made_at);

-- Files of results as they came, each once by its digest, with what each line came to.
CREATE TABLE billing.payout_results (
    id uuid CONSTRAINT payout_results_pkey PRIMARY KEY,
    digest bytea NOT NULL CONSTRAINT payout_results_digest_key UNIQUE,
    kind text NOT NULL,
    name text NOT NULL,
    lines integer NOT NULL,
    outcomes jsonb NOT NULL,
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.payout_results
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.payouts
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.payout_rails
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.payout_files
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.payout_runs
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
