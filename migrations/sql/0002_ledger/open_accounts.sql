-- Open a wallet or an earner's account; doing it twice is doing it once.
CREATE FUNCTION billing.open_wallet(p_account uuid, p_currency text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO billing.wallets (account_id, currency) VALUES (p_account, p_currency) ON CONFLICT DO NOTHING;
$$;

CREATE FUNCTION billing.open_earner(p_account uuid, p_currency text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO billing.earners (account_id, currency) VALUES (p_account, p_currency) ON CONFLICT DO NOTHING;
$$;
