-- Announce many facts after their transaction, in the order given.
CREATE FUNCTION core.announce_all(p_topic text, p_payloads jsonb[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO core.outbox (topic, payload)
    SELECT p_topic, n.payload FROM unnest(p_payloads) WITH ORDINALITY AS n (payload, place) ORDER BY n.place
$$;
