-- Where postal codes lie, as an operator imported them; `code` is written as codes compare, the country first.
CREATE TABLE marketplace.postal_imports (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT postal_imports_pkey PRIMARY KEY,
    countries text[] NOT NULL,
    lines integer NOT NULL,
    kept integer NOT NULL,
    faults jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL
);
CREATE TABLE marketplace.postal_centres (
    code text CONSTRAINT postal_centres_pkey PRIMARY KEY,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    CONSTRAINT postal_centres_check CHECK (
        code ~ '^[A-Z]{2}:[A-Z0-9]{1,10}$' AND abs(latitude) <= 90 AND abs(longitude) <= 180)
);
