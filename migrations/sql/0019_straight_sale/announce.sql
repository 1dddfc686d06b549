DROP FUNCTION core.announce;

-- Announce a fact after its transaction, without NOTIFY (which serialises commits). True, so that a function can call
-- it in an expression: PERFORM would set a query up around it.
CREATE FUNCTION core.announce(p_topic text, p_payload jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core.outbox (topic, payload) VALUES (p_topic, p_payload);
    RETURN true;
END $$;
