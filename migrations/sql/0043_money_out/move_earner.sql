-- Move what is payable to one earner and on its way to him. False, and nothing done, when a part would go below zero, or
-- when what leaves would leave less payable than he owes.
CREATE OR REPLACE FUNCTION billing.move_earner(p_currency text, p_lines billing.line[]) RETURNS boolean
LANGUAGE plpgsql AS $$
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
      AND least(e.payable + v_payable, e.in_flight + v_in_flight) >= 0
      AND (v_in_flight <= 0 OR e.payable + v_payable >= e.owed);
    RETURN FOUND;
END $$;
