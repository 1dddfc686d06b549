-- What a bank was told to send, or what is back, until its statement shows it.
INSERT INTO billing.chart_of_accounts (code, name, side, is_owned) VALUES (1050, 'bank:in_transit', 'debit', false);

CREATE OR REPLACE FUNCTION billing.is_entry(e billing.entries) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN e.amount_minor <> 0 AND length(e.currency) = 3 AND CASE
        WHEN e.account IN (1100, 1110, 2000, 2010, 2020, 2030, 2100, 2110, 2120)
            THEN e.owner_id IS NOT NULL AND e.sub_account IS NULL
        WHEN e.account = 4000 THEN e.owner_id IS NULL AND e.sub_account IS NOT NULL
        WHEN e.account IN (1000, 1010, 1020, 1030, 1040, 1050, 1120, 2200, 2210, 2900, 3000, 4100, 5000, 5100, 5110,
                           5200, 5300, 5900) THEN e.owner_id IS NULL AND e.sub_account IS NULL
        ELSE false END;
END $$;

-- Move the parts of one wallet by what lines credit to them, and what it owes by what they charge to it; or what is
-- payable to one earner and on its way to him. False, and nothing done, when a part would go below zero. Only pay_debts
-- makes a wallet owe less, only resolving, refunding and netting touch a reserve and what an earner owes.
CREATE OR REPLACE FUNCTION billing.move_wallet(p_currency text, p_lines billing.line[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_owner uuid;
    v_owners bigint;
    v_moved bigint[];
BEGIN
    IF EXISTS (SELECT FROM unnest(p_lines) AS l WHERE l.account IN (2100, 2120)) THEN
        RETURN billing.move_earner(p_currency, p_lines);
    END IF;
    SELECT count(DISTINCT l.owner_id), (array_agg(l.owner_id) FILTER (WHERE l.owner_id IS NOT NULL))[1],
           ARRAY[coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2000), 0),
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2020), 0),
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2030), 0),
                 coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 1110), 0)]
    INTO v_owners, v_owner, v_moved FROM unnest(p_lines) AS l;
    IF v_owners > 1 OR v_moved[4] < 0
        OR EXISTS (SELECT FROM unnest(p_lines) AS l WHERE l.account IN (1100, 2010, 2110)) THEN
        RAISE EXCEPTION 'lines of one posting move one wallet or earner, and no holds, reserves or debts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_check';
    ELSIF v_moved = '{0,0,0,0}' THEN
        RETURN true;
    END IF;
    PERFORM billing.open_wallet(v_owner, p_currency);
    UPDATE billing.wallets w
    SET available = w.available + v_moved[1], frozen = w.frozen + v_moved[2], promo = w.promo + v_moved[3],
        owed = w.owed + v_moved[4]
    WHERE w.account_id = v_owner AND w.currency = p_currency
      AND least(w.available + v_moved[1], w.frozen + v_moved[2], w.promo + v_moved[3]) >= 0;
    RETURN FOUND;
END $$;

CREATE FUNCTION billing.move_earner(p_currency text, p_lines billing.line[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_owner uuid;
    v_payable bigint;
    v_in_flight bigint;
BEGIN
    IF EXISTS (SELECT FROM unnest(p_lines) AS l WHERE l.owner_id IS NOT NULL AND l.account NOT IN (2100, 2120))
        OR (SELECT count(DISTINCT l.owner_id) FROM unnest(p_lines) AS l) > 1 THEN
        RAISE EXCEPTION 'lines of one posting move one wallet or earner, and no holds, reserves or debts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_check';
    END IF;
    SELECT (array_agg(l.owner_id) FILTER (WHERE l.owner_id IS NOT NULL))[1],
           coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2100), 0),
           coalesce(-sum(l.amount_minor) FILTER (WHERE l.account = 2120), 0)
    INTO v_owner, v_payable, v_in_flight FROM unnest(p_lines) AS l;
    UPDATE billing.earners e SET payable = e.payable + v_payable, in_flight = e.in_flight + v_in_flight
    WHERE e.account_id = v_owner AND e.currency = p_currency
      AND least(e.payable + v_payable, e.in_flight + v_in_flight) >= 0;
    RETURN FOUND;
END $$;
