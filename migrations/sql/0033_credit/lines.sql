-- Say what a wallet may draw and when that falls due, opening the wallet when needed; what is drawn stays due as it was,
-- and a limit below it only stops new draws. p_version is what the caller has read, 0 for no line: false, and nothing
-- done, when it has changed since.
CREATE FUNCTION billing.set_credit_line(
    p_account uuid, p_currency text, p_limit bigint, p_days smallint, p_usual bigint, p_version integer, p_reason text,
    p_actor text, p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM billing.open_wallet(p_account, p_currency);
    PERFORM FROM billing.wallets w WHERE w.account_id = p_account AND w.currency = p_currency FOR NO KEY UPDATE;
    IF p_version IS DISTINCT FROM (SELECT coalesce(max(c.version), 0) FROM billing.credit_lines c
                                   WHERE c.account_id = p_account AND c.currency = p_currency) THEN
        RETURN false;
    END IF;
    INSERT INTO billing.credit_lines (account_id, currency, version, limit_minor, days, usual_minor, reason, actor,
        changed_at)
    VALUES (p_account, p_currency, p_version + 1, p_limit, p_days, p_usual, p_reason, p_actor, p_at);
    UPDATE billing.wallets w SET credit_limit = p_limit, credit_days = p_days
    WHERE w.account_id = p_account AND w.currency = p_currency;
    RETURN true;
END $$;
