-- The market: verticals, standing orders, leads and their sales.
CREATE SCHEMA marketplace;

CREATE TABLE marketplace.verticals (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL,
    definition jsonb NOT NULL,
    book_version bigint NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    CONSTRAINT verticals_slug_key UNIQUE (slug)
);

CREATE TABLE marketplace.orders (
    id uuid PRIMARY KEY,
    buyer_id uuid NOT NULL,
    vertical_id smallint NOT NULL REFERENCES marketplace.verticals,
    version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'paused', 'closed')),
    terms jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX orders_buyer_id_idx ON marketplace.orders (buyer_id, id);
CREATE INDEX orders_vertical_id_idx ON marketplace.orders (vertical_id) WHERE status = 'active';

CREATE TABLE marketplace.order_versions (
    order_id uuid NOT NULL REFERENCES marketplace.orders,
    version integer NOT NULL,
    status text NOT NULL,
    terms jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- One row an order, so that one conditional UPDATE checks and raises every period at once. A period is named by the
-- instant (epoch seconds) at which it began in the order's zone; a limit that is NULL does not limit.
CREATE TABLE marketplace.order_counters (
    order_id uuid PRIMARY KEY,
    limited boolean NOT NULL DEFAULT false,
    zone_version integer NOT NULL DEFAULT 1,  -- the first version of the order with the zone that names the periods
    hour_cap integer, hour_budget bigint,
    day_cap integer, day_budget bigint,
    week_cap integer, week_budget bigint,
    month_cap integer, month_budget bigint,
    total_cap integer, total_budget bigint,
    hour_start bigint NOT NULL DEFAULT 0, hour_leads integer NOT NULL DEFAULT 0, hour_spend bigint NOT NULL DEFAULT 0,
    day_start bigint NOT NULL DEFAULT 0, day_leads integer NOT NULL DEFAULT 0, day_spend bigint NOT NULL DEFAULT 0,
    week_start bigint NOT NULL DEFAULT 0, week_leads integer NOT NULL DEFAULT 0, week_spend bigint NOT NULL DEFAULT 0,
    month_start bigint NOT NULL DEFAULT 0, month_leads integer NOT NULL DEFAULT 0,
    month_spend bigint NOT NULL DEFAULT 0,
    total_leads integer NOT NULL DEFAULT 0, total_spend bigint NOT NULL DEFAULT 0,
    last_sold_at timestamptz
) WITH (fillfactor = 50);

-- Who was sold or is pending, per vertical: a key that is claimed here makes the next equal lead a duplicate.
CREATE TABLE marketplace.person_keys (
    vertical_id smallint NOT NULL,
    key bytea NOT NULL,
    lead_id uuid NOT NULL,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (vertical_id, key)
);

-- The words that a lead's status and a sale's state may be. Functions, since the text of a CHECK with a list is read
-- anew by every statement that inserts.
CREATE FUNCTION marketplace.is_lead_status(p_status text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_status IN ('sold', 'unsold', 'pending', 'rejected');
END $$;

CREATE FUNCTION marketplace.is_sale_state(p_state text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_state IN ('held', 'delivered', 'disputed', 'settled', 'returned', 'refused', 'failed');
END $$;

CREATE TABLE marketplace.leads (
    id uuid PRIMARY KEY,
    publisher_id uuid NOT NULL,
    vertical_id smallint NOT NULL,
    region text NOT NULL,
    status text NOT NULL CHECK (marketplace.is_lead_status(status)),
    reasons text[] NOT NULL,
    contact_class text NOT NULL,
    temperature text NOT NULL,
    score smallint NOT NULL,
    test boolean NOT NULL,
    external_id text,
    source_name text NOT NULL,
    received_at timestamptz NOT NULL,
    details jsonb NOT NULL,
    contact bytea NOT NULL,
    contact_key smallint NOT NULL,
    decision json NOT NULL
);
CREATE INDEX leads_publisher_id_idx ON marketplace.leads (publisher_id, id);

-- No foreign key to leads: only post_lead inserts sales, each with its lead in one statement, and leads are never
-- deleted; the key's check would lock every sold lead once more.
CREATE TABLE marketplace.sales (
    id uuid PRIMARY KEY,
    lead_id uuid NOT NULL,
    order_id uuid NOT NULL,
    order_version integer NOT NULL,
    buyer_id uuid NOT NULL,
    publisher_id uuid NOT NULL,
    state text NOT NULL CHECK (marketplace.is_sale_state(state)),
    currency text NOT NULL CHECK (length(currency) = 3),
    price_minor bigint NOT NULL CHECK (price_minor > 0),
    payout_minor bigint NOT NULL CHECK (payout_minor <= price_minor),
    reserve_minor bigint NOT NULL CHECK (reserve_minor BETWEEN 0 AND payout_minor),
    reserve_days integer NOT NULL,
    window_ends_at timestamptz,
    release_at timestamptz,
    sold_at timestamptz NOT NULL,
    delivered_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT sales_lead_id_buyer_id_key UNIQUE (lead_id, buyer_id),
    CHECK ((delivered_at IS NULL) = (release_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX sales_buyer_id_idx ON marketplace.sales (buyer_id, id);
CREATE INDEX sales_publisher_id_idx ON marketplace.sales (publisher_id)
    WHERE state IN ('held', 'delivered', 'disputed');
CREATE INDEX sales_release_at_idx ON marketplace.sales (release_at) WHERE state = 'delivered';

CREATE TABLE marketplace.disputes (
    id uuid PRIMARY KEY,
    sale_id uuid NOT NULL REFERENCES marketplace.sales,
    buyer_id uuid NOT NULL,
    publisher_id uuid NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    evidence jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'upheld', 'rejected')),
    opened_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    decision_note text,
    CONSTRAINT disputes_sale_id_key UNIQUE (sale_id),
    CHECK ((state = 'open') = (decided_at IS NULL))
);
CREATE INDEX disputes_state_idx ON marketplace.disputes (state, id);
CREATE INDEX disputes_buyer_id_idx ON marketplace.disputes (buyer_id, id);
CREATE INDEX disputes_publisher_id_idx ON marketplace.disputes (publisher_id, id);

-- What happened to a lead, a sale, a dispute or an order: who, when, why. Never changed.
CREATE TABLE marketplace.events (
    subject_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    move text NOT NULL,
    actor text NOT NULL,
    why text,
    PRIMARY KEY (subject_id, id)
);

-- What was no lead at all, counted without contact data: per publisher, day, field and code.
CREATE TABLE marketplace.refusals (
    publisher_id uuid NOT NULL,
    day date NOT NULL,
    field text NOT NULL,
    code text NOT NULL,
    refused bigint NOT NULL,
    PRIMARY KEY (publisher_id, day, field, code)
);
