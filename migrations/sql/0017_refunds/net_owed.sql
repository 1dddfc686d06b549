-- Net what earners owe against what is payable to them, at most p_limit of them; return how many. A key names its own
-- transaction, since what is owed falls with it: asking again finds nothing. Rows in work elsewhere are passed over.
CREATE FUNCTION billing.net_owed(p_limit int, p_actor text, p_at timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    e record;
    v_id uuid;
    v_netted int := 0;
BEGIN
    FOR e IN
        SELECT b.account_id, b.currency, least(b.owed, b.payable) AS minor FROM billing.earners b
        WHERE b.owed > 0 AND b.payable > 0
        ORDER BY b.account_id, b.currency LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        v_id := uuidv7();
        INSERT INTO billing.transactions (id, key, kind, currency, actor, occurred_at)
        VALUES (v_id, 'clawback:' || v_id, 'clawback', e.currency, p_actor, p_at);
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        VALUES (v_id, 1, 2100, e.account_id, e.currency, e.minor), (v_id, 2, 1100, e.account_id, e.currency, -e.minor);
        UPDATE billing.earners b SET owed = b.owed - e.minor, payable = b.payable - e.minor
        WHERE (b.account_id, b.currency) = (e.account_id, e.currency);
        v_netted := v_netted + 1;
    END LOOP;
    RETURN v_netted;
END $$;
