-- Pay from what is available in a wallet what of its debts is due by an instant, the oldest first and never more than
-- there is: D available / C recv:wallet, each under `debt:{id}:pay:{n}`; returns what was paid. A wallet that was stopped
-- runs again once nothing due is left. Takes the wallet's lock before those of its debts, as a draw does.
CREATE FUNCTION billing.pay_debts(
    p_account uuid, p_currency text, p_until timestamptz, p_actor text, p_at timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    w billing.wallets;
    d billing.debts;
    v_minor bigint;
    v_paid bigint := 0;
BEGIN
    SELECT * INTO w FROM billing.wallets f
    WHERE f.account_id = p_account AND f.currency = p_currency AND f.drawn + f.owed > 0 FOR NO KEY UPDATE;
    FOR d IN
        SELECT * FROM billing.debts b
        WHERE b.account_id = w.account_id AND b.currency = w.currency AND b.due_at <= p_until
          AND b.paid_minor < b.amount_minor
        ORDER BY b.due_at, b.id
    LOOP
        v_minor := least(d.amount_minor - d.paid_minor, w.available - v_paid);
        EXIT WHEN v_minor <= 0;
        PERFORM billing.pay_debt(d, v_minor, p_actor, p_at);
        v_paid := v_paid + v_minor;
    END LOOP;
    IF w.stopped_at IS NOT NULL THEN
        PERFORM billing.readmit_paid(p_account, p_currency, p_at);
    END IF;
    RETURN v_paid;
END $$;

-- Book one payment of a debt whose wallet is locked.
CREATE FUNCTION billing.pay_debt(d billing.debts, p_minor bigint, p_actor text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid := uuidv7();
BEGIN
    UPDATE billing.debts b SET paid_minor = b.paid_minor + p_minor, payments = b.payments + 1 WHERE b.id = d.id;
    UPDATE billing.wallets w
    SET available = w.available - p_minor,
        drawn = w.drawn - CASE WHEN d.kind = 'draw' THEN p_minor ELSE 0 END,
        owed = w.owed - CASE WHEN d.kind = 'draw' THEN 0 ELSE p_minor END
    WHERE w.account_id = d.account_id AND w.currency = d.currency;
    INSERT INTO billing.transactions (id, key, kind, currency, source, actor, occurred_at)
    VALUES (v_id, format('debt:%s:pay:%s', d.id, d.payments + 1), 'debt_paid', d.currency, d.id, p_actor, p_at);
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_id, 1, 2000, d.account_id, d.currency, p_minor), (v_id, 2, 1110, d.account_id, d.currency, -p_minor);
    INSERT INTO billing.debt_payments (debt_id, number, account_id, currency, amount_minor, transaction_id, paid_at)
    VALUES (d.id, d.payments + 1, d.account_id, d.currency, p_minor, v_id, p_at);
END $$;

-- Let a stopped wallet buy again, and tell, when nothing that is due is left; its row is locked.
CREATE FUNCTION billing.readmit_paid(p_account uuid, p_currency text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing.wallets w SET stopped_at = NULL
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.stopped_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM billing.debts d
                      WHERE d.account_id = p_account AND d.currency = p_currency AND d.due_at <= greatest(p_at, w.stopped_at)
                        AND d.paid_minor < d.amount_minor);
    IF FOUND THEN
        PERFORM billing.tell_of_wallet('credit.paid', p_account, p_currency, p_at);
    END IF;
END $$;

-- Pay what is due by an instant out of at most p_limit wallets that have something, in id order; return how many paid.
CREATE FUNCTION billing.collect_due(p_limit int, p_actor text, p_at timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    w record;
    v_paying int := 0;
BEGIN
    FOR w IN
        SELECT DISTINCT d.account_id, d.currency FROM billing.debts d
        JOIN billing.wallets f ON f.account_id = d.account_id AND f.currency = d.currency AND f.available > 0
        WHERE d.paid_minor < d.amount_minor AND d.due_at <= p_at
        ORDER BY d.account_id, d.currency LIMIT p_limit
    LOOP
        IF billing.pay_debts(w.account_id, w.currency, p_at, p_actor, p_at) > 0 THEN
            v_paying := v_paying + 1;
        END IF;
    END LOOP;
    RETURN v_paying;
END $$;

-- Close to new holds the wallets of which something has been due since before an instant, at most p_limit of them in id
-- order, and announce each; returns which.
CREATE FUNCTION billing.stop_overdue(
    p_since timestamptz, p_limit int, p_at timestamptz, OUT account_id uuid, OUT currency text
) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    FOR account_id, currency IN
        SELECT f.account_id, f.currency FROM billing.wallets f
        WHERE f.stopped_at IS NULL AND (f.account_id, f.currency) IN (
            SELECT d.account_id, d.currency FROM billing.debts d
            WHERE d.paid_minor < d.amount_minor AND d.due_at <= p_since)
        ORDER BY f.account_id, f.currency LIMIT p_limit FOR NO KEY UPDATE
    LOOP
        -- Whoever waited for the lock may find it paid.
        UPDATE billing.wallets f SET stopped_at = p_at
        WHERE f.account_id = stop_overdue.account_id AND f.currency = stop_overdue.currency AND f.stopped_at IS NULL
          AND EXISTS (SELECT FROM billing.debts d
                      WHERE d.account_id = f.account_id AND d.currency = f.currency
                        AND d.paid_minor < d.amount_minor AND d.due_at <= p_since);
        IF FOUND THEN
            PERFORM billing.tell_of_wallet('credit.overdue', account_id, currency, p_at);
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION billing.tell_of_wallet(p_event text, p_account uuid, p_currency text, p_at timestamptz) RETURNS boolean
LANGUAGE sql AS $$
    SELECT core.announce('notice', jsonb_build_object('event', p_event, 'at', p_at, 'accounts', ARRAY[p_account],
        'data', jsonb_build_object('account', p_account, 'currency', p_currency)));
$$;
