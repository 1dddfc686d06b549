-- What a buyer wants made for him, and what publishers have agreed to send: a share of the volume each. How much of it is
-- taken never exceeds it; a deal that ends early gives back what it has not bought.
CREATE TABLE marketplace.briefs (
    id uuid PRIMARY KEY,
    buyer_id uuid NOT NULL,
    vertical_id smallint NOT NULL CONSTRAINT briefs_vertical_id_fkey REFERENCES marketplace.verticals,
    state text NOT NULL,
    body jsonb NOT NULL,
    publishers uuid[] NOT NULL,
    volume integer NOT NULL,
    taken integer NOT NULL DEFAULT 0,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT briefs_check CHECK (
        state IN ('open', 'full', 'ended', 'cancelled') AND volume > 0 AND taken BETWEEN 0 AND volume
        AND (state <> 'full' OR taken = volume) AND starts_at < ends_at)
);
CREATE INDEX briefs_buyer_id_idx ON marketplace.briefs (buyer_id, id);
CREATE INDEX briefs_open_idx ON marketplace.briefs (ends_at) WHERE state IN ('open', 'full');

CREATE TABLE marketplace.deals (
    id uuid PRIMARY KEY,
    brief_id uuid NOT NULL CONSTRAINT deals_brief_id_fkey REFERENCES marketplace.briefs,
    publisher_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    order_id uuid NOT NULL CONSTRAINT deals_order_id_key UNIQUE
        CONSTRAINT deals_order_id_fkey REFERENCES marketplace.orders,
    state text NOT NULL,
    volume integer NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT deals_check CHECK (
        state IN ('active', 'full', 'ended', 'cancelled') AND volume > 0 AND (state = 'active') = (ended_at IS NULL))
);
-- One running deal of a publisher with a brief: more of it is taken by a further one once the first has ended.
CREATE UNIQUE INDEX deals_active_key ON marketplace.deals (brief_id, publisher_id) WHERE state = 'active';
CREATE INDEX deals_publisher_id_idx ON marketplace.deals (publisher_id, id);
CREATE INDEX deals_buyer_id_idx ON marketplace.deals (buyer_id, id);
CREATE INDEX deals_running_idx ON marketplace.deals (ends_at) WHERE state = 'active';
