-- What the publisher gets of a price: by bands of the price where the vertical has them, else by the publisher's terms.
-- The platform's least margin holds either way. A margin in basis points is rounded half a cent up.
CREATE FUNCTION marketplace.paid(p_price bigint, p_share_bp integer, p_min_margin bigint, p_bands bigint[])
RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_at integer := 1;
BEGIN
    IF p_bands IS NULL THEN
        RETURN affiliates.payout_of(p_price, p_share_bp, p_min_margin);
    END IF;
    WHILE p_bands[v_at + 3] <= p_price LOOP
        v_at := v_at + 3;
    END LOOP;
    RETURN greatest(p_price - greatest(coalesce(p_bands[v_at + 2], (p_price * p_bands[v_at + 1] + 5000) / 10000),
                                       p_min_margin), 0);
END $$;

-- The bands by which a sale was shared, NULL when the publisher's terms shared it.
ALTER TABLE marketplace.sales ADD COLUMN bands bigint[];

-- From how many leads on an order's received ones count against its target share.
ALTER TABLE marketplace.order_counters ADD COLUMN weighed_from bigint NOT NULL DEFAULT 0;
