-- Claims on sales that are settled, who made a claim, what a rejected one costs.
ALTER TABLE marketplace.disputes
    ADD COLUMN late boolean NOT NULL DEFAULT false,  -- the sale was settled when it was opened
    ADD COLUMN opened_by text NOT NULL DEFAULT 'buyer' CHECK (opened_by IN ('buyer', 'operator')),
    ADD COLUMN fee_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN fee_state text,
    ADD COLUMN watch_due boolean NOT NULL DEFAULT false,  -- upheld, and the source was not looked at since
    ADD CONSTRAINT disputes_fee_check CHECK (
        fee_minor >= 0 AND (fee_minor = 0) = (fee_state IS NULL)
        AND fee_state IN ('due', 'charged', 'waived', 'returned'));
UPDATE marketplace.disputes d SET opened_by = 'operator'
FROM marketplace.dispute_groups g WHERE g.id = d.group_id AND d.opened_at = g.decided_at;
CREATE INDEX disputes_watch_due_idx ON marketplace.disputes (id) WHERE watch_due;
CREATE INDEX disputes_decided_idx ON marketplace.disputes (buyer_id, decided_at) WHERE decided_at IS NOT NULL;

-- A sale is held at least until the window for a claim on it is over: windows nest for every tier.
CREATE OR REPLACE FUNCTION marketplace.is_sale(s marketplace.sales) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN s.state IN ('held', 'delivered', 'disputed', 'settled', 'returned', 'refused', 'failed')
        AND length(s.currency) = 3 AND s.price_minor > 0 AND s.credited_minor >= 0
        AND s.reserve_minor BETWEEN 0 AND s.payout_minor AND s.payout_minor <= s.price_minor - s.credited_minor
        AND (s.delivered_at IS NULL) = (s.release_at IS NULL) AND coalesce(s.release_at >= s.window_ends_at, true);
END $$;

-- The same for a vertical's file, whoever writes it: hearing and decision fit between window and release.
ALTER TABLE marketplace.verticals ADD CONSTRAINT verticals_windows_check CHECK (
    (definition ->> 'window_hours')::integer BETWEEN 48 AND 720
    AND (definition ->> 'decision_days')::integer BETWEEN 5 AND 30);

-- Hashes that buyers say they know already, one list an upload; a list is dated by the instant at which it was whole.
CREATE TABLE marketplace.suppression_lists (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT suppression_lists_number_key UNIQUE,
    buyer_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    lines bigint NOT NULL,
    entries bigint NOT NULL,
    duplicates bigint NOT NULL,
    bad bigint NOT NULL,
    faults jsonb NOT NULL,
    uploaded_at timestamptz NOT NULL,
    uploaded_by text NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX suppression_lists_buyer_id_idx ON marketplace.suppression_lists (buyer_id, id);

-- One row a person and list, under the keyed hash by which persons are recognised everywhere here; found by the person
-- (whom does this concern?) and by the list (to delete it).
CREATE TABLE marketplace.suppression_entries (
    key bytea NOT NULL CHECK (length(key) = 32),
    list_number bigint NOT NULL,
    PRIMARY KEY (key, list_number)
);
CREATE INDEX suppression_entries_list_number_idx ON marketplace.suppression_entries (list_number);

-- How a publisher's source stands that was ever warned or paused, by the rule or an operator; all others are active.
CREATE TABLE marketplace.source_standings (
    publisher_id uuid NOT NULL,
    source_name text NOT NULL,
    standing text NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'warned', 'paused')),
    since timestamptz NOT NULL,     -- sales from here on count
    changed_at timestamptz NOT NULL,
    why text,
    PRIMARY KEY (publisher_id, source_name)
);

-- When the person wants to be called, as far as it was understood.
ALTER TABLE marketplace.sale_contacts
    ADD COLUMN wanted_at timestamptz,
    ADD COLUMN best_time text CHECK (best_time IN ('respected', 'not_understood'));
