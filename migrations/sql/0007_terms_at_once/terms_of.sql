DROP FUNCTION affiliates.terms_of;

-- The publisher's terms at this moment; they are pinned to each sale by whoever sells.
-- Planned into the query that asks, so that a sale asks several floors in one statement.
CREATE FUNCTION affiliates.terms_of(p_account uuid) RETURNS SETOF affiliates.publishers LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT * FROM affiliates.publishers p WHERE p.account_id = p_account
$$;
