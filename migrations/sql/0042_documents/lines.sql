-- What a transaction is on its owner's document, from the entries: on an invoice what was charged to the wallet
-- (negative: given back) and how much of that was promotional credit; on a statement what was earned (negative: taken
-- back), and how what is payable, reserved and owed moved. Money that only moves between these earns nothing.
CREATE FUNCTION billing.line_of(
    p_side text, t billing.transactions, p_owner uuid,
    OUT amount_minor bigint, OUT promo_minor bigint, OUT payable_minor bigint, OUT reserve_minor bigint,
    OUT owed_minor bigint
) RETURNS SETOF record LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT CASE
               WHEN p_side = 'invoice' THEN s.spent
               WHEN t.kind IN ('resolve', 'refund', 'compensate') THEN s.payable + s.reserve - s.owed
               ELSE 0 END,
           CASE
               WHEN p_side <> 'invoice' THEN 0
               WHEN t.kind = 'resolve' THEN
                   (SELECT h.promo_minor - v.released_promo_minor
                    FROM billing.hold_resolutions v JOIN billing.holds h ON h.id = v.hold_id
                    WHERE v.hold_id = t.source::uuid)
               WHEN t.kind = 'refund' THEN
                   (SELECT -f.promo_minor FROM billing.refunds f WHERE f.transaction_id = t.id)
               ELSE 0 END,
           CASE WHEN p_side = 'statement' THEN s.payable ELSE 0 END,
           CASE WHEN p_side = 'statement' THEN s.reserve ELSE 0 END,
           CASE WHEN p_side = 'statement' THEN s.owed ELSE 0 END
    FROM (SELECT coalesce(sum(e.amount_minor) FILTER (WHERE e.account IN (2000, 2010, 2020, 2030, 1110)), 0)::bigint
                     AS spent,
                 coalesce(-sum(e.amount_minor) FILTER (WHERE e.account = 2100), 0)::bigint AS payable,
                 coalesce(-sum(e.amount_minor) FILTER (WHERE e.account = 2110), 0)::bigint AS reserve,
                 coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 1100), 0)::bigint AS owed
          FROM billing.entries e WHERE e.transaction_id = t.id AND e.owner_id = p_owner) s
$$;

-- Every transaction from an id on that belongs on an account's documents of a side, whenever it happened; a hold that
-- was set free whole charges nothing and is on none.
CREATE FUNCTION billing.transactions_for(p_side text, p_owner uuid, p_currency text, p_from uuid)
RETURNS SETOF billing.transactions LANGUAGE sql STABLE AS $$
    SELECT t.*
    FROM (SELECT DISTINCT e.transaction_id FROM billing.entries e
          WHERE e.owner_id = p_owner AND e.transaction_id >= p_from AND e.currency = p_currency
            AND e.account = ANY (CASE p_side WHEN 'invoice' THEN '{1110,2000,2010,2030}'::smallint[]
                                             ELSE '{2100,2110,1100}' END)) mine
    JOIN billing.transactions t ON t.id = mine.transaction_id
    WHERE p_side = 'statement' OR t.kind IN ('refund', 'fee', 'fee_back')
       OR (t.kind = 'resolve'
           AND (SELECT v.captured_minor FROM billing.hold_resolutions v WHERE v.hold_id = t.source::uuid) > 0)
$$;
