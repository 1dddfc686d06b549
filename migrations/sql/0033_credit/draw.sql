-- Draw what a wallet lacks for a hold from its credit line, in the key of the hold with `draw` in place of `hold`:
-- D recv:wallet / C available. False, and nothing done, when the line's room does not suffice either, or the wallet is
-- suspended or stopped. The row stays locked, so the hold that follows succeeds. What is drawn on one UTC day falls due
-- together, the line's days after it ends.
CREATE FUNCTION billing.draw(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_key text, p_actor text, p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_drawn bigint;
    v_due timestamptz;
    v_debt uuid := uuidv7();
    v_id uuid := uuidv7();
BEGIN
    UPDATE billing.wallets w
    SET available = w.available + greatest(p_amount - w.available - w.promo, 0),
        drawn = w.drawn + greatest(p_amount - w.available - w.promo, 0)
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NULL AND w.stopped_at IS NULL
      AND w.available + w.promo + greatest(w.credit_limit - w.drawn - w.owed - w.at_stake, 0) >= p_amount
    RETURNING new.drawn - old.drawn,
        (date_trunc('day', p_at AT TIME ZONE 'UTC') + make_interval(days => 1 + new.credit_days)) AT TIME ZONE 'UTC'
    INTO v_drawn, v_due;
    IF v_drawn IS NULL OR v_drawn = 0 THEN  -- none; or money came in the meantime
        RETURN v_drawn IS NOT NULL;
    END IF;
    INSERT INTO billing.debts AS d (id, account_id, currency, kind, amount_minor, due_at, made_at)
    VALUES (v_debt, p_account, p_currency, 'draw', v_drawn, v_due, p_at)
    ON CONFLICT (account_id, currency, due_at) WHERE kind = 'draw'
        DO UPDATE SET amount_minor = d.amount_minor + excluded.amount_minor
    RETURNING d.id INTO v_debt;
    INSERT INTO billing.transactions (id, key, kind, currency, source, actor, occurred_at)
    VALUES (v_id, regexp_replace(p_key, ':hold$', '') || ':draw', 'draw', p_currency, p_hold, p_actor, p_at);
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    VALUES (v_id, 1, 1110, p_account, p_currency, v_drawn), (v_id, 2, 2000, p_account, p_currency, -v_drawn);
    INSERT INTO billing.draws (hold_id, debt_id, account_id, currency, amount_minor, transaction_id)
    VALUES (p_hold, v_debt, p_account, p_currency, v_drawn, v_id);
    RETURN true;
END $$;

-- Set money aside under a key and a hold's id that were never used, promotional credit first, then what is available,
-- and what these lack from the credit line; false, and nothing done, when all of it does not suffice or the wallet is
-- suspended or stopped. A hold and the transaction that places it bear one id.
-- Raises unique_violation when the key or the id was used before.
CREATE OR REPLACE FUNCTION billing.place_new_hold(
    p_hold uuid, p_account uuid, p_currency text, p_amount bigint, p_kind text, p_key text, p_actor text,
    p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_promo bigint;
BEGIN
    UPDATE billing.wallets w
    SET promo = w.promo - least(w.promo, p_amount),
        available = w.available - (p_amount - least(w.promo, p_amount)),
        held = w.held + p_amount
    WHERE w.account_id = p_account AND w.currency = p_currency
      AND w.suspended_at IS NULL AND w.stopped_at IS NULL AND w.available + w.promo >= p_amount
    RETURNING least(old.promo, p_amount) INTO v_promo;
    IF NOT FOUND THEN  -- only then is credit asked for, so a funded sale does nothing more
        RETURN billing.draw(p_hold, p_account, p_currency, p_amount, p_key, p_actor, p_at)
            AND billing.place_new_hold(p_hold, p_account, p_currency, p_amount, p_kind, p_key, p_actor, p_at);
    END IF;
    INSERT INTO billing.transactions (id, key, kind, currency, source, actor, occurred_at)
    VALUES (p_hold, p_key, 'hold', p_currency, p_hold, p_actor, p_at);
    IF v_promo = 0 THEN  -- as nearly always: two plain rows
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        VALUES (p_hold, 2, 2000, p_account, p_currency, p_amount), (p_hold, 3, 2010, p_account, p_currency, -p_amount);
    ELSE
        INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
        SELECT p_hold, l.line, l.account, p_account, p_currency, l.amount_minor
        FROM (VALUES (1::smallint, 2030::smallint, v_promo), (2, 2000, p_amount - v_promo), (3, 2010, -p_amount))
            AS l (line, account, amount_minor)
        WHERE l.amount_minor <> 0;
    END IF;
    INSERT INTO billing.holds (id, account_id, currency, amount_minor, promo_minor, kind, transaction_id, placed_at)
    VALUES (p_hold, p_account, p_currency, p_amount, v_promo, p_kind, p_hold, p_at);
    RETURN true;
END $$;

-- Return what of a hold was paid from credit, for whoever lists what his holds paid; planned into the query that asks.
CREATE FUNCTION billing.drawn_for(p_hold uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT r.amount_minor FROM billing.draws r WHERE r.hold_id = p_hold), 0)
$$;
