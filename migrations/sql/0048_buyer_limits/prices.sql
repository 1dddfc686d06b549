DROP FUNCTION marketplace.prices_of;

-- The least and the most that a version of an order may pay for one lead, a row for its price and one for each step of
-- its ladder: that price, or what its modifiers may make of it (marketplace/orders/prices.py has the rule), each field's
-- largest fall or rise within floor and ceiling.
CREATE FUNCTION marketplace.prices_of(p_terms jsonb) RETURNS TABLE (lowest bigint, highest bigint)
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN is_changed THEN greatest(price + fall, bottom) ELSE price END,
           CASE WHEN is_changed THEN greatest(least(price + rise, ceiling), bottom) ELSE price END
    FROM (SELECT nullif((p_terms ->> 'price_ceiling_minor')::bigint, 0) AS ceiling,
                 greatest((p_terms ->> 'price_floor_minor')::bigint, (p_terms ->> 'least_minor')::bigint, 1) AS bottom,
                 coalesce(p_terms -> 'modifiers', '[]') <> '[]' AS is_changed
         ) AS said,
    LATERAL (SELECT (p_terms ->> 'price_minor')::bigint AS price
             UNION SELECT (step ->> 1)::bigint
             FROM jsonb_array_elements(CASE jsonb_typeof(p_terms #> '{ladder,steps}')
                      WHEN 'array' THEN p_terms #> '{ladder,steps}' ELSE '[]' END) AS step) AS bases,
    LATERAL (SELECT coalesce(sum(floor(least(low, 0))), 0)::bigint AS fall,
                    coalesce(sum(ceil(greatest(high, 0))), 0)::bigint AS rise
             FROM (SELECT min(price * percent / 100.0 + amount_minor) AS low,
                          max(price * percent / 100.0 + amount_minor) AS high
                   FROM jsonb_to_recordset(coalesce(p_terms -> 'modifiers', '[]'))
                       AS one (field text, percent integer, amount_minor bigint)
                   GROUP BY field) AS fields) AS changes
$$;
