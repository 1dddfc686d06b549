-- One CHECK with one function in it, since PostgreSQL reads the text of each anew for every statement.
CREATE FUNCTION marketplace.is_sale(s marketplace.sales) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN s.state IN ('held', 'delivered', 'disputed', 'settled', 'returned', 'refused', 'failed')
        AND length(s.currency) = 3 AND s.price_minor > 0
        AND s.reserve_minor BETWEEN 0 AND s.payout_minor AND s.payout_minor <= s.price_minor
        AND (s.delivered_at IS NULL) = (s.release_at IS NULL);
END $$;

DO $$
DECLARE
    v_check text;
BEGIN
    FOR v_check IN SELECT conname FROM pg_constraint
                   WHERE conrelid = 'marketplace.sales'::regclass AND contype = 'c' LOOP
        EXECUTE format('ALTER TABLE marketplace.sales DROP CONSTRAINT %I', v_check);
    END LOOP;
END $$;
ALTER TABLE marketplace.sales ADD CONSTRAINT sales_check CHECK (marketplace.is_sale(sales));
DROP FUNCTION marketplace.is_sale_state;
