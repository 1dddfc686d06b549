-- Open a suspended wallet again; false when it was open.
CREATE FUNCTION billing.readmit_wallet(p_account uuid, p_currency text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing.wallets w SET suspended_at = NULL
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NOT NULL;
    RETURN FOUND;
END $$;
