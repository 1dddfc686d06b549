-- Mail of ours that came back, once for each recipient. `kind` and `subject_id` are what its token said it was sent for.
CREATE TABLE core.bounces (
    kind text NOT NULL CHECK (length(kind) = 1),
    subject_id uuid NOT NULL,
    address text NOT NULL CHECK (address = lower(address)),
    permanent boolean NOT NULL,
    code text NOT NULL,
    says text NOT NULL,
    at timestamptz NOT NULL,
    forgiven_at timestamptz,               -- the address was proved good again
    PRIMARY KEY (kind, subject_id, address)
);
CREATE INDEX bounces_address_idx ON core.bounces (address) WHERE permanent AND forgiven_at IS NULL;

-- Addresses beyond those of an account's own people, to which its leads go once a code has come back from them.
CREATE TABLE marketplace.mail_addresses (
    account_id uuid NOT NULL,
    address text NOT NULL CHECK (address = lower(address)),
    asked_at timestamptz NOT NULL,         -- the code follows from this instant, and with it ends
    confirmed_at timestamptz,
    PRIMARY KEY (account_id, address)
);

-- What an attempt's mail came back with, long after it was accepted.
ALTER TABLE marketplace.delivery_attempts
    ADD COLUMN bounced_at timestamptz,
    ADD COLUMN bounce text,
    ADD CONSTRAINT delivery_attempts_bounced_check CHECK ((bounced_at IS NULL) = (bounce IS NULL));

-- A sale that waits for its file is `filed`: no courier takes it.
ALTER TABLE marketplace.deliveries
    DROP CONSTRAINT deliveries_state_check,
    DROP CONSTRAINT deliveries_ended_check;
ALTER TABLE marketplace.deliveries
    ADD CONSTRAINT deliveries_state_check
        CHECK (state IN ('waiting', 'in_hand', 'filed', 'accepted', 'refused', 'failed')),
    ADD CONSTRAINT deliveries_ended_check CHECK ((state IN ('waiting', 'in_hand', 'filed')) = (ended_at IS NULL));

-- One file of an order for one slot of its schedule. The name it is given follows from its id, so that a second try
-- after a crash replaces what the first has put there.
CREATE TABLE marketplace.delivery_files (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    slot timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'in_hand', 'taken', 'failed')),
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL,
    lease_until timestamptz,
    ended_at timestamptz,
    reason text,                           -- why the last try came to nothing
    CONSTRAINT delivery_files_order_id_slot_key UNIQUE (order_id, slot),
    CONSTRAINT delivery_files_lease_check CHECK ((state = 'in_hand') = (lease_until IS NOT NULL)),
    CONSTRAINT delivery_files_ended_check CHECK ((state IN ('waiting', 'in_hand')) = (ended_at IS NULL))
);
CREATE INDEX delivery_files_due_idx ON marketplace.delivery_files (next_attempt_at)
    WHERE state IN ('waiting', 'in_hand');

-- Each sale is in exactly one file: it has one row here, which gets its file once.
CREATE TABLE marketplace.filed_sales (
    sale_id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    sold_at timestamptz NOT NULL,
    file_id uuid REFERENCES marketplace.delivery_files
);
CREATE INDEX filed_sales_order_id_idx ON marketplace.filed_sales (order_id, sold_at) WHERE file_id IS NULL;
CREATE INDEX filed_sales_file_id_idx ON marketplace.filed_sales (file_id);

CREATE FUNCTION marketplace.keep_in_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.file_id IS NOT NULL THEN
        RAISE EXCEPTION 'sale % is in its file', OLD.sale_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER filed_sales_keep BEFORE UPDATE OR DELETE ON marketplace.filed_sales
    FOR EACH ROW EXECUTE FUNCTION marketplace.keep_in_file();

-- The password or private key with which files are put on a buyer's server, and the server it was given for.
CREATE TABLE marketplace.file_credentials (
    order_id uuid PRIMARY KEY,
    sealed bytea NOT NULL,
    sealed_key smallint NOT NULL
);
