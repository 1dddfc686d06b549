-- Say what became of a key: null (free), committed as 'repeated', 'refused:<code>', or 'conflict' for other content.
-- The lock makes whoever comes while the key is in flight wait until it is decided; off the hot path only.
CREATE FUNCTION billing.answer_for_key(p_key text, p_fingerprint bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_answer text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('billing.key:' || p_key, 0));
    SELECT CASE WHEN k.fingerprint IS NOT DISTINCT FROM p_fingerprint THEN k.answer ELSE 'conflict' END INTO v_answer
    FROM (SELECT t.fingerprint, 'repeated' AS answer FROM billing.transactions t WHERE t.key = p_key
          UNION ALL
          SELECT r.fingerprint, 'refused:' || r.code FROM billing.refusals r WHERE r.key = p_key) k;
    RETURN v_answer;
END $$;

-- Digest what moves money; who asked and why may differ between a request and its repeat.
CREATE FUNCTION billing.fingerprint_of(VARIADIC p_parts text[]) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
    SELECT sha256(convert_to(array_to_string(p_parts, chr(31), ''), 'UTF8'));
$$;
