-- Every hold with its end, for whoever proves his own records against the books; NULL while it is open.
CREATE FUNCTION billing.ends_of_holds(
    OUT hold_id uuid, OUT account_id uuid, OUT currency text, OUT kind text, OUT amount_minor bigint,
    OUT captured_minor bigint, OUT released_minor bigint, OUT earner_id uuid, OUT share_minor bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT h.id, h.account_id, h.currency, h.kind, h.amount_minor, r.captured_minor, r.released_minor, r.earner_id,
           r.share_minor
    FROM billing.holds h LEFT JOIN billing.hold_resolutions r ON r.hold_id = h.id
$$;
