-- An earner's reserve by the day on which it is free; without it each look reads the open lots of everybody.
CREATE INDEX reserve_lots_of_account ON billing.reserve_lots (account_id, currency, matures_at) INCLUDE (amount_minor)
    WHERE closed_at IS NULL;

-- Every page of a publisher says when his next open sale is released: the first entry of his, instead of all of them.
CREATE INDEX sales_open_of_publisher_idx ON marketplace.sales (publisher_id, release_at)
    WHERE state IN ('held', 'delivered', 'disputed');
DROP INDEX marketplace.sales_publisher_id_idx;

-- A publisher finds leads by what any of their sub ids says; most leads say none and take no room here.
CREATE INDEX leads_subs_idx ON marketplace.leads
    USING gin (jsonb_path_query_array(details, '$.source.sub.*') jsonb_path_ops)
    WHERE jsonb_path_exists(details, '$.source.sub.*');

-- The operators' log also reads what people changed in orders.
CREATE INDEX order_versions_deeds_idx ON marketplace.order_versions (at) WHERE actor NOT LIKE 'system%';
