-- What the sale function is told beyond 0008: which candidates receive what they buy later, by a delivery of their own
-- (the others read it in the portal at once), and how long a delivery may take.
ALTER TYPE marketplace.offer ADD ATTRIBUTE later boolean[];
ALTER TYPE marketplace.rules ADD ATTRIBUTE grace_minutes integer;

-- One sale on its way to its buyer. `next_attempt_at` and `give_up_at` are business time; a lease is real time, since it
-- outlives a process and not a trade. The dates of the sale follow from its delivery by the terms pinned here.
CREATE TABLE marketplace.deliveries (
    sale_id uuid PRIMARY KEY,
    lead_id uuid NOT NULL,
    order_id uuid NOT NULL,
    order_version integer NOT NULL,
    buyer_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'in_hand', 'accepted', 'refused', 'failed')),
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL,
    give_up_at timestamptz NOT NULL,
    lease_until timestamptz,
    window_hours integer NOT NULL CHECK (window_hours > 0),
    hold_days integer NOT NULL CHECK (hold_days > 0),
    reference text,
    ended_at timestamptz,
    passed_on boolean NOT NULL DEFAULT false,  -- the next buyer was looked for, in a transaction after the one that ended it
    CONSTRAINT deliveries_lease_check CHECK ((state = 'in_hand') = (lease_until IS NOT NULL)),
    CONSTRAINT deliveries_ended_check CHECK ((state IN ('waiting', 'in_hand')) = (ended_at IS NULL))
);
CREATE INDEX deliveries_waiting_idx ON marketplace.deliveries (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX deliveries_in_hand_idx ON marketplace.deliveries (lease_until) WHERE state = 'in_hand';
CREATE INDEX deliveries_ended_idx ON marketplace.deliveries (ended_at)
    WHERE state IN ('refused', 'failed') AND NOT passed_on;
CREATE INDEX deliveries_lead_id_idx ON marketplace.deliveries (lead_id);

-- Each try, written before the call, so that none is lost with its process; the request and what came back are sealed,
-- as both repeat the person's contact.
CREATE TABLE marketplace.delivery_attempts (
    sale_id uuid NOT NULL,
    number smallint NOT NULL CHECK (number > 0),
    started_at timestamptz NOT NULL,
    outcome text CHECK (outcome IN ('accepted', 'refused', 'error')),
    reason text,
    status smallint,
    milliseconds integer CHECK (milliseconds >= 0),
    sealed bytea,
    sealed_key smallint,
    CONSTRAINT delivery_attempts_pkey PRIMARY KEY (sale_id, number),
    CONSTRAINT delivery_attempts_sealed_check CHECK ((sealed IS NULL) = (sealed_key IS NULL))
);

-- The secret that signs an order's webhook; its owner can read it again.
CREATE TABLE marketplace.order_secrets (
    order_id uuid PRIMARY KEY,
    sealed bytea NOT NULL,
    sealed_key smallint NOT NULL
);
