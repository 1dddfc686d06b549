-- Tell, without a lock, whether a hold of this amount would be placed at this moment.
CREATE FUNCTION billing.covers(p_account uuid, p_currency text, p_amount bigint) RETURNS boolean
STABLE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing.wallets w
    WHERE w.account_id = p_account AND w.currency = p_currency
      AND w.suspended_at IS NULL AND w.available + w.promo >= p_amount;
    RETURN FOUND;
END $$;
