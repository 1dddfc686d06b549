-- Where an order's leads are sent: scheme, host, port and path of its address, spelt in one way. The query is left out:
-- it tells campaigns apart and may hold keys. NULL for what is not sent by HTTP.
CREATE FUNCTION marketplace.endpoint_of(p_terms jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(u[1]) || '://' || lower(u[2])
        || ':' || coalesce(u[3], CASE lower(u[1]) WHEN 'https' THEN '443' ELSE '80' END) || coalesce(u[4], '/')
    FROM regexp_match(p_terms #>> '{delivery,url}',
                      '^(https?)://(\[[^\]]*\]|[^/?:]*)(?::0*([0-9]+))?(/[^?]*)?', 'i') AS u
$$;
ALTER TABLE marketplace.orders
    ADD COLUMN endpoint text GENERATED ALWAYS AS (marketplace.endpoint_of(terms)) STORED;
ALTER TABLE marketplace.order_versions
    ADD COLUMN endpoint text GENERATED ALWAYS AS (marketplace.endpoint_of(terms)) STORED;

-- A buyer's endpoint as its last attempts left it: `recent` counts them a minute each, [minute, attempts, failures].
-- While it is open nothing is sent; half open, one lead is, by which it then closes or opens again.
CREATE TABLE marketplace.endpoints (
    id uuid PRIMARY KEY,
    buyer_id uuid NOT NULL,
    address text NOT NULL,
    state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open', 'probing')),
    recent jsonb NOT NULL DEFAULT '[]',
    pauses smallint NOT NULL DEFAULT 0 CHECK (pauses >= 0),  -- in a row, the present one counted
    probe_at timestamptz,
    probe_sale_id uuid,
    CONSTRAINT endpoints_buyer_id_address_key UNIQUE (buyer_id, address),
    CONSTRAINT endpoints_probe_at_check CHECK ((state = 'closed') = (probe_at IS NULL)),
    CONSTRAINT endpoints_probe_sale_id_check CHECK ((state = 'probing') = (probe_sale_id IS NOT NULL))
) WITH (fillfactor = 50);
CREATE INDEX endpoints_not_closed_idx ON marketplace.endpoints (id) WHERE state <> 'closed';
