-- One CHECK, since PostgreSQL reads the text of each anew for every statement.
DO $$
DECLARE
    v_check text;
BEGIN
    FOR v_check IN SELECT conname FROM pg_constraint
                   WHERE conrelid = 'marketplace.sales'::regclass AND contype = 'c' LOOP
        EXECUTE format('ALTER TABLE marketplace.sales DROP CONSTRAINT %I', v_check);
    END LOOP;
END $$;
ALTER TABLE marketplace.sales ADD CONSTRAINT sales_check CHECK (
    marketplace.is_sale_state(state) AND length(currency) = 3 AND price_minor > 0
    AND reserve_minor BETWEEN 0 AND payout_minor AND payout_minor <= price_minor
    AND (delivered_at IS NULL) = (release_at IS NULL));
