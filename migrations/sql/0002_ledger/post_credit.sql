-- Book money that an operator has seen at the bank: D bank / C wallet available.
CREATE FUNCTION billing.post_credit(
    p_account uuid, p_currency text, p_amount bigint, p_key text, p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE sql AS $$
    SELECT billing.fund_wallet('credit', 1030::smallint, 2000::smallint, p_account, p_currency, p_amount,
                               p_key, p_reason, p_actor, p_at);
$$;

-- Give promotional credit: D promo expense / C wallet promo.
CREATE FUNCTION billing.post_promo(
    p_account uuid, p_currency text, p_amount bigint, p_key text, p_reason text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE sql AS $$
    SELECT billing.fund_wallet('promo', 5300::smallint, 2030::smallint, p_account, p_currency, p_amount,
                               p_key, p_reason, p_actor, p_at);
$$;
