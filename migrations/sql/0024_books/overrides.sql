-- What operators say otherwise than the shipped defaults, for the whole exchange or one country: every word that was
-- ever said, by setting in order; the last one of a place holds, and null takes it back. What a value may be is told by
-- the table of defaults, which is the program's; a value that it no longer permits changes nothing.
CREATE TABLE core.overrides (
    key text NOT NULL CHECK (length(key) BETWEEN 3 AND 100),
    version integer NOT NULL CHECK (version > 0),
    country text NOT NULL CHECK (country ~ '^([A-Z]{2})?$'),
    value jsonb CHECK (jsonb_typeof(value) IN ('number', 'boolean')),
    actor text NOT NULL,
    reason text NOT NULL CHECK (length(btrim(reason)) BETWEEN 1 AND 1000),
    at timestamptz NOT NULL,
    PRIMARY KEY (key, version)
);

CREATE FUNCTION core.keep_overrides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on core.overrides is refused: what was said is only added to', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER keep_overrides BEFORE UPDATE OR DELETE OR TRUNCATE ON core.overrides
    FOR EACH STATEMENT EXECUTE FUNCTION core.keep_overrides();
