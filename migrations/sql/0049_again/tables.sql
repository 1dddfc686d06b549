-- Leads that may be offered again: those that nobody bought, and those whose consent lets others have them later.
-- `due_at` is when to look next; without it an order that changes wakes the lead. `why` says why it is off or ended, or
-- what a lead that is offered waits for; `ends_at` until when it may be offered, known from the first look on.
CREATE TABLE marketplace.kept_leads (
    lead_id uuid PRIMARY KEY,
    publisher_id uuid NOT NULL,
    source_name text NOT NULL,
    vertical_id smallint NOT NULL CONSTRAINT kept_leads_vertical_id_fkey REFERENCES marketplace.verticals,
    country text NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL,
    why text,
    looks integer NOT NULL DEFAULT 0,
    due_at timestamptz,
    ends_at timestamptz,
    CONSTRAINT kept_leads_check CHECK (
        state IN ('open', 'off', 'ended') AND (state = 'open' OR due_at IS NULL AND why IS NOT NULL))
);
CREATE INDEX kept_leads_due_idx ON marketplace.kept_leads (due_at, received_at DESC) WHERE due_at IS NOT NULL;
CREATE INDEX kept_leads_open_idx ON marketplace.kept_leads (vertical_id, received_at, lead_id) WHERE state = 'open';
CREATE INDEX kept_leads_source_idx ON marketplace.kept_leads (publisher_id, source_name, vertical_id)
    WHERE state <> 'ended';

-- Each time that a lead was offered again, as a decision of its own: to whom, at which age and past, and what came of it.
-- `bp` and `ceiling_minor` are what only the moment knew of its price. Never changed.
CREATE TABLE marketplace.further_offers (
    id uuid PRIMARY KEY,
    lead_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    age_minutes integer NOT NULL,
    bp integer NOT NULL,
    ceiling_minor bigint,
    least_minor bigint NOT NULL,
    returned text,
    decision json NOT NULL,
    CONSTRAINT further_offers_lead_id_key UNIQUE (lead_id, number),
    CONSTRAINT further_offers_check CHECK (
        kind IN ('unsold', 'waiting', 'resale', 'returned') AND number > 0 AND age_minutes >= 0
        AND bp BETWEEN 0 AND 10000 AND (kind IN ('resale', 'returned')) = (ceiling_minor IS NOT NULL)
        AND (kind = 'returned') = (returned IS NOT NULL))
);

-- Sales that such an offer made. `resale` counts those of a lead that somebody had bought before, 0 where nobody had.
CREATE TABLE marketplace.further_sales (
    sale_id uuid PRIMARY KEY,
    offer_id uuid NOT NULL CONSTRAINT further_sales_offer_id_fkey REFERENCES marketplace.further_offers,
    lead_id uuid NOT NULL,
    resale smallint NOT NULL,
    bid_minor bigint NOT NULL,
    falls boolean NOT NULL,
    CONSTRAINT further_sales_check CHECK (resale BETWEEN 0 AND 99 AND bid_minor > 0)
);
CREATE UNIQUE INDEX further_sales_resale_key ON marketplace.further_sales (lead_id, resale) WHERE resale > 0;
CREATE INDEX further_sales_offer_id_idx ON marketplace.further_sales (offer_id);

-- An order that was kept from buying a lead by its cap, pace or hours alone, and the instant until which it may still.
CREATE TABLE marketplace.kept_places (
    lead_id uuid NOT NULL CONSTRAINT kept_places_lead_id_fkey REFERENCES marketplace.kept_leads,
    order_id uuid NOT NULL,  -- no key to orders: its check would wait for who changes one
    until_at timestamptz NOT NULL,
    CONSTRAINT kept_places_pkey PRIMARY KEY (lead_id, order_id)
);
CREATE INDEX kept_places_order_id_idx ON marketplace.kept_places (order_id, until_at);

-- Orders that buy aged leads or wait: when each looks through the kept leads next, how far it has come (from the youngest
-- on), when it looks once more after that, and the money without which looking is in vain.
CREATE TABLE marketplace.seekers (
    order_id uuid PRIMARY KEY CONSTRAINT seekers_order_id_fkey REFERENCES marketplace.orders,
    due_at timestamptz,
    below_at timestamptz,
    below_id uuid,
    again_at timestamptz,
    needs_minor bigint,
    CONSTRAINT seekers_check CHECK ((below_at IS NULL) = (below_id IS NULL) AND needs_minor > 0)
);
CREATE INDEX seekers_due_idx ON marketplace.seekers (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX seekers_broke_idx ON marketplace.seekers (order_id) WHERE needs_minor IS NOT NULL;

-- What a publisher says of offering a source's leads again: whether, for how much at least, and whether they may wait.
ALTER TABLE marketplace.source_rules
    ADD COLUMN offered_again boolean NOT NULL DEFAULT true,
    ADD COLUMN waits boolean NOT NULL DEFAULT true,
    ADD COLUMN aged_min_price_minor bigint;
ALTER TABLE marketplace.source_rules DROP CONSTRAINT source_rules_check;
ALTER TABLE marketplace.source_rules ADD CONSTRAINT source_rules_check CHECK (
    (exclusive_only OR most_buyers IS NOT NULL OR min_price_minor IS NOT NULL OR NOT offered_again OR NOT waits
     OR aged_min_price_minor IS NOT NULL)
    AND (most_buyers IS NULL OR most_buyers BETWEEN 2 AND 5 AND NOT exclusive_only)
    AND (min_price_minor IS NULL OR min_price_minor > 0) AND (aged_min_price_minor IS NULL OR aged_min_price_minor >= 0));
