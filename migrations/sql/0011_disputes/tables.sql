-- Disputes with a hearing, a machine's look, partial outcomes, one appeal, evidence files, and decisions for clusters.
-- What goes back to the buyer at settlement; payout and reserve of the sale are then those of the smaller price.
ALTER TABLE marketplace.sales ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0;
CREATE OR REPLACE FUNCTION marketplace.is_sale(s marketplace.sales) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN s.state IN ('held', 'delivered', 'disputed', 'settled', 'returned', 'refused', 'failed')
        AND length(s.currency) = 3 AND s.price_minor > 0 AND s.credited_minor >= 0
        AND s.reserve_minor BETWEEN 0 AND s.payout_minor AND s.payout_minor <= s.price_minor - s.credited_minor
        AND (s.delivered_at IS NULL) = (s.release_at IS NULL);
END $$;

-- One verdict for many sales of a source; the key is what was asked, so that asking again decides nothing twice.
CREATE TABLE marketplace.dispute_groups (
    id uuid PRIMARY KEY,
    key text NOT NULL CONSTRAINT dispute_groups_key_key UNIQUE,
    publisher_id uuid NOT NULL,
    asked jsonb NOT NULL,
    report jsonb NOT NULL,
    actor text NOT NULL,
    decided_at timestamptz NOT NULL
);

ALTER TABLE marketplace.disputes
    ADD COLUMN sub_reason text,
    ADD COLUMN group_id uuid REFERENCES marketplace.dispute_groups,
    ADD COLUMN hear_until timestamptz,
    ADD COLUMN decide_by timestamptz,
    ADD COLUMN judged_at timestamptz,
    ADD COLUMN heard_at timestamptz,
    ADD COLUMN accepts boolean,
    ADD COLUMN answer_note text,
    ADD COLUMN paid_by text CHECK (paid_by IN ('publisher', 'platform')),
    ADD COLUMN full_payout_minor bigint,
    ADD COLUMN full_reserve_minor bigint,
    ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN compensation_minor bigint NOT NULL DEFAULT 0 CHECK (compensation_minor >= 0),
    ADD COLUMN appeal_until timestamptz;

UPDATE marketplace.disputes d
SET hear_until = d.opened_at + interval '48 hours', decide_by = d.opened_at + interval '9 days',
    paid_by = CASE WHEN d.state = 'upheld' THEN 'publisher' END,
    credited_minor = CASE WHEN d.state = 'upheld' THEN s.price_minor ELSE 0 END,
    full_payout_minor = s.payout_minor, full_reserve_minor = s.reserve_minor
FROM marketplace.sales s WHERE s.id = d.sale_id;

ALTER TABLE marketplace.disputes
    ALTER COLUMN hear_until SET NOT NULL,
    ALTER COLUMN decide_by SET NOT NULL,
    ALTER COLUMN full_payout_minor SET NOT NULL,
    ALTER COLUMN full_reserve_minor SET NOT NULL,
    DROP CONSTRAINT disputes_state_check,
    ADD CONSTRAINT disputes_state_check
        CHECK (state IN ('open', 'upheld', 'rejected', 'partial', 'repriced', 'appealed')),
    ADD CONSTRAINT disputes_credited_check CHECK (credited_minor >= 0);
CREATE INDEX disputes_group_id_idx ON marketplace.disputes (group_id) WHERE group_id IS NOT NULL;

-- The one appeal of a dispute.
CREATE TABLE marketplace.appeals (
    dispute_id uuid PRIMARY KEY REFERENCES marketplace.disputes,
    side text NOT NULL CHECK (side IN ('buyer', 'publisher')),
    against text NOT NULL,
    note text NOT NULL,
    appealed_at timestamptz NOT NULL,
    decide_by timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    decision_note text,
    outcome text CHECK (outcome IN ('stands', 'changed')),
    CHECK ((decided_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX appeals_decide_by_idx ON marketplace.appeals (decide_by) WHERE decided_at IS NULL;

-- What a side shows: the file itself lies in the data folder under the row's id.
CREATE TABLE marketplace.evidence_files (
    id uuid PRIMARY KEY,
    dispute_id uuid NOT NULL REFERENCES marketplace.disputes,
    side text NOT NULL CHECK (side IN ('buyer', 'publisher')),
    name text NOT NULL,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL
);
CREATE INDEX evidence_files_dispute_id_idx ON marketplace.evidence_files (dispute_id, id);
