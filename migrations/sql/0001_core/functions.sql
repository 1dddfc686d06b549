-- Is this key still good: not revoked, and its account active? The hot path asks again in the sale's own transaction.
CREATE FUNCTION core.key_is_good(p_key uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_account uuid;
BEGIN
    SELECT account_id INTO v_account FROM core.api_keys WHERE id = p_key AND revoked_at IS NULL;
    PERFORM FROM core.accounts WHERE id = v_account AND standing = 'active';
    RETURN FOUND;
END $$;

-- Take the right to answer this key within the present transaction: NULL when it is ours, else the stored row's answer.
-- Raises LB409 when another transaction is answering the same key right now.
CREATE FUNCTION core.claim_key(p_account uuid, p_route text, p_key text, p_at timestamptz)
RETURNS core.idempotency LANGUAGE plpgsql AS $$
DECLARE
    v_row core.idempotency;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(p_account || ' ' || p_route || ' ' || p_key, 0)) THEN
        RAISE EXCEPTION 'this Idempotency-Key is being answered' USING ERRCODE = 'LB409';
    END IF;
    SELECT * INTO v_row FROM core.idempotency
    WHERE account_id = p_account AND route = p_route AND key = p_key;
    IF FOUND AND v_row.answered_at <= p_at - interval '24 hours' THEN
        DELETE FROM core.idempotency WHERE account_id = p_account AND route = p_route AND key = p_key;
        RETURN NULL;
    END IF;
    RETURN v_row;
END $$;

CREATE FUNCTION core.keep_answer(
    p_account uuid, p_route text, p_key text, p_fingerprint bytea, p_status smallint, p_answer jsonb, p_at timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO core.idempotency VALUES (p_account, p_route, p_key, p_fingerprint, p_status, p_answer, p_at)
$$;

-- Announce a fact after its transaction, without NOTIFY (which serialises commits).
CREATE FUNCTION core.announce(p_topic text, p_payload jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core.outbox (topic, payload) VALUES (p_topic, p_payload);
END $$;
