-- Net what earners owe against what is payable to them, at most p_limit of them; return how many. A key names its own
-- transaction, since what is owed falls with it: asking again finds nothing. Rows in work elsewhere are passed over.
CREATE OR REPLACE FUNCTION billing.net_owed(p_limit int, p_actor text, p_at timestamptz) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_accounts uuid[];
    v_currencies text[];
    v_minors bigint[];
BEGIN
    SELECT coalesce(array_agg(uuidv7()), '{}'), array_agg(e.account_id), array_agg(e.currency), array_agg(e.minor)
    INTO v_ids, v_accounts, v_currencies, v_minors
    FROM (SELECT b.account_id, b.currency, least(b.owed, b.payable) AS minor FROM billing.earners b
          WHERE b.owed > 0 AND b.payable > 0
          ORDER BY b.account_id, b.currency LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED) e;

    INSERT INTO billing.transactions (id, key, kind, currency, actor, occurred_at)
    SELECT e.id, 'clawback:' || e.id, 'clawback', e.currency, p_actor, p_at
    FROM unnest(v_ids, v_currencies) AS e (id, currency);

    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT e.id, l.line, l.account, e.account_id, e.currency, l.sign * e.minor
    FROM unnest(v_ids, v_accounts, v_currencies, v_minors) AS e (id, account_id, currency, minor)
    CROSS JOIN (VALUES (1::smallint, 2100::smallint, 1), (2, 1100, -1)) AS l (line, account, sign);

    UPDATE billing.earners b SET owed = b.owed - e.minor, payable = b.payable - e.minor
    FROM unnest(v_accounts, v_currencies, v_minors) AS e (account_id, currency, minor)
    WHERE (b.account_id, b.currency) = (e.account_id, e.currency);
    RETURN cardinality(v_ids);
END $$;
