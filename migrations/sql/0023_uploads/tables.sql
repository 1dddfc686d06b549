-- A file of leads that a publisher uploaded. What its columns mean is said once (`answers`, `version` counts how often
-- it was said anew); then its rows are posted in their order, chunk by chunk, up to `next_line`.
CREATE TABLE marketplace.uploads (
    id uuid PRIMARY KEY,
    publisher_id uuid NOT NULL,
    source_name text NOT NULL CHECK (length(source_name) BETWEEN 1 AND 100),
    vertical text NOT NULL REFERENCES marketplace.verticals (slug),
    file_name text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    encoding text NOT NULL,
    delimiter text NOT NULL CHECK (length(delimiter) = 1),
    file_rows integer NOT NULL CHECK (file_rows > 0),
    answers jsonb,
    version integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'cancelled', 'stopped', 'expired')),
    next_line integer NOT NULL DEFAULT 1,
    accepted integer NOT NULL DEFAULT 0,
    sold integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    cancel_asked boolean NOT NULL DEFAULT false,
    why text,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    erase_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    beat_at timestamptz,    -- real time of the last chunk, or of the last wake-up of one that was lost
    CONSTRAINT uploads_rows_check CHECK (sold BETWEEN 0 AND accepted AND refused >= 0 AND accepted + refused <= file_rows),
    CONSTRAINT uploads_done_check CHECK (state <> 'done' OR accepted + refused = file_rows),
    CONSTRAINT uploads_answers_check CHECK (state NOT IN ('running', 'done') OR answers IS NOT NULL),
    CONSTRAINT uploads_started_check CHECK ((state IN ('ready', 'expired')) <= (started_at IS NULL))
);
CREATE INDEX uploads_publisher_id_idx ON marketplace.uploads (publisher_id, id);
CREATE INDEX uploads_beat_at_idx ON marketplace.uploads (beat_at) WHERE state = 'running';

-- The bytes of a file hold contacts: sealed, and erased on their day.
CREATE TABLE marketplace.upload_files (
    upload_id uuid PRIMARY KEY REFERENCES marketplace.uploads (id),
    sealed bytea NOT NULL,
    sealed_key smallint NOT NULL,
    erase_at timestamptz NOT NULL
);
CREATE INDEX upload_files_erase_at_idx ON marketplace.upload_files (erase_at);

-- What became of each row, once and for all: a lead, or no lead and why. Nothing of what the row said.
CREATE TABLE marketplace.upload_rows (
    upload_id uuid NOT NULL REFERENCES marketplace.uploads (id),
    line integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('sold', 'unsold', 'pending', 'rejected', 'refused')),
    lead_id uuid,
    code text,
    field text,
    message text,
    PRIMARY KEY (upload_id, line),
    CONSTRAINT upload_rows_lead_check CHECK ((outcome = 'refused') = (lead_id IS NULL)),
    CONSTRAINT upload_rows_code_check CHECK ((outcome IN ('rejected', 'refused')) = (code IS NOT NULL))
);
CREATE INDEX upload_rows_code_idx ON marketplace.upload_rows (upload_id, code, line);
