DROP FUNCTION core.key_is_good;

-- This key, as long as it is good: not revoked, and its account active.
-- Planned into the query that asks, so that a sale asks several floors in one statement.
CREATE FUNCTION core.good_key(p_key uuid) RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT k.id FROM core.api_keys k JOIN core.accounts a ON a.id = k.account_id
    WHERE k.id = p_key AND k.revoked_at IS NULL AND a.standing = 'active'
$$;
