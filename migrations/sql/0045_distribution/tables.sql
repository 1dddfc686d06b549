-- What a publisher wants for the leads of one of his sources in a vertical, by the name that they say: sold to one buyer
-- only, to so many at most, for so much at least. A source without a row goes by the vertical alone.
CREATE TABLE marketplace.source_rules (
    publisher_id uuid NOT NULL,
    source_name text NOT NULL,
    vertical_id smallint NOT NULL CONSTRAINT source_rules_vertical_id_fkey REFERENCES marketplace.verticals,
    exclusive_only boolean NOT NULL,
    most_buyers smallint,
    min_price_minor bigint,
    changed_at timestamptz NOT NULL,
    CONSTRAINT source_rules_pkey PRIMARY KEY (publisher_id, source_name, vertical_id),
    CONSTRAINT source_rules_check CHECK (
        (exclusive_only OR most_buyers IS NOT NULL OR min_price_minor IS NOT NULL)
        AND (most_buyers IS NULL OR most_buyers BETWEEN 2 AND 5 AND NOT exclusive_only)
        AND (min_price_minor IS NULL OR min_price_minor > 0))
);
CREATE INDEX source_rules_vertical_id_idx ON marketplace.source_rules (vertical_id);
