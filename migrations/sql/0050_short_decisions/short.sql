-- The story of a decision as it is kept: as it was told while it is short, else each candidate as one text: the order's
-- id in 22 letters of base64url, a letter for the outcome, the version, and what was reached after a blank or the price
-- of a ladder after an @. Whatever has no letter stays as it was told. marketplace/leads/decisions.py reads both.
CREATE FUNCTION marketplace.as_kept(p_tried text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF cardinality(p_tried) <= 16 THEN
        RETURN p_tried;
    END IF;
    RETURN ARRAY(
        SELECT coalesce(to_json(
            translate(rtrim(encode(uuid_send((t.said ->> 0)::uuid), 'base64'), '='), '+/', '-_')
            || CASE t.said ->> 2 WHEN 'sold' THEN 's' WHEN 'outbid' THEN 'o' WHEN 'share_full' THEN 'f'
                                 WHEN 'other_way' THEN 'w' WHEN 'filtered' THEN 'x' WHEN 'below_min' THEN 'b'
                                 WHEN 'capped' THEN 'c' WHEN 'no_funds' THEN 'n' END
            || (t.said ->> 1)
            || CASE json_typeof(t.said -> 3) WHEN 'number' THEN '@' || (t.said ->> 3)
                                             WHEN 'string' THEN ' ' || (t.said ->> 3) ELSE '' END
            || CASE json_typeof(t.said -> 4) WHEN 'number' THEN '@' || (t.said ->> 4) ELSE '' END)::text, t.said::text)
        FROM (SELECT one::json AS said, place FROM unnest(p_tried) WITH ORDINALITY AS u (one, place)) AS t ORDER BY place);
END $$;
