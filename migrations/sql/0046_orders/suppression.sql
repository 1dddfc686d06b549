-- A list may also keep leads away, for a time: those of its persons are not sold to its buyer. Which lead it kept away is
-- written down, so that it can be told and told again when the list is gone.
ALTER TABLE marketplace.suppression_lists
    ADD COLUMN suppresses boolean NOT NULL DEFAULT false,
    ADD COLUMN valid_from timestamptz,
    ADD COLUMN valid_until timestamptz,
    ADD CONSTRAINT suppression_lists_valid_check CHECK (valid_until > valid_from);
CREATE INDEX suppression_lists_live_idx ON marketplace.suppression_lists (buyer_id)
    WHERE suppresses AND deleted_at IS NULL;

CREATE TABLE marketplace.suppressed_leads (
    lead_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    list_number bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT suppressed_leads_pkey PRIMARY KEY (lead_id, buyer_id)
);
CREATE INDEX suppressed_leads_list_number_idx ON marketplace.suppressed_leads (list_number);
