-- Announce facts after their transaction, as announce does for one.
CREATE FUNCTION core.announce_many(p_topic text, p_payloads jsonb[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core.outbox (topic, payload) SELECT p_topic, unnest(p_payloads);
    RETURN true;
END $$;
