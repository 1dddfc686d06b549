-- Prints of long documents, asked for and, once a job has made them, kept: the same bytes as any other print of them.
CREATE TABLE billing.document_prints (
    document_id uuid CONSTRAINT document_prints_pkey PRIMARY KEY
        CONSTRAINT document_prints_document_id_fkey REFERENCES billing.documents DEFERRABLE INITIALLY DEFERRED,
    content bytea,
    asked_at timestamptz NOT NULL,
    printed_at timestamptz,
    CONSTRAINT document_prints_check CHECK ((content IS NULL) = (printed_at IS NULL))
);
