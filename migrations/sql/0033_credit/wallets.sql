-- What a wallet may draw and what it owes, beside its balances in the one row that a sale changes anyway: `drawn` is
-- credit that was drawn and not paid back, `owed` every other debt, and both together what stands in recv:wallet.
-- `at_stake` is what open chargebacks may still take of it, which no credit is given on.
-- `stopped_at` closes a wallet whose debts are overdue to new holds, until what is due is paid.
ALTER TABLE billing.wallets
    ADD COLUMN credit_limit bigint NOT NULL DEFAULT 0,
    ADD COLUMN credit_days smallint NOT NULL DEFAULT 0,
    ADD COLUMN drawn bigint NOT NULL DEFAULT 0,
    ADD COLUMN owed bigint NOT NULL DEFAULT 0,
    ADD COLUMN at_stake bigint NOT NULL DEFAULT 0,
    ADD COLUMN stopped_at timestamptz;

CREATE OR REPLACE FUNCTION billing.is_wallet(w billing.wallets) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN least(w.available, w.held, w.frozen, w.promo, w.drawn, w.owed, w.at_stake, w.credit_limit) >= 0
        AND length(w.currency) = 3;
END $$;

-- What could be set aside at this moment, told without a lock, the room of its credit line included; no row when there
-- is no wallet, or it is suspended or stopped. Planned into the query that asks, so that a sale asks several floors in
-- one statement.
CREATE OR REPLACE FUNCTION billing.spendable(p_account uuid, p_currency text) RETURNS SETOF bigint
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT w.available + w.promo + greatest(w.credit_limit - w.drawn - w.owed - w.at_stake, 0) FROM billing.wallets w
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NULL AND w.stopped_at IS NULL
$$;

-- What a chargeback may still take of its wallet: what is not frozen of it, until it is decided.
CREATE FUNCTION billing.stake_of(c billing.chargebacks) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN c.state IN ('announced', 'withdrawn') THEN c.amount_minor - c.frozen_minor ELSE 0 END
$$;

-- Keep in the wallet's row what its chargebacks may take; by the difference, since two may change at once.
CREATE FUNCTION billing.note_at_stake() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_more bigint := billing.stake_of(NEW) - CASE TG_OP WHEN 'UPDATE' THEN billing.stake_of(OLD) ELSE 0 END;
BEGIN
    IF v_more <> 0 THEN
        PERFORM billing.open_wallet(NEW.account_id, NEW.currency);
        UPDATE billing.wallets w SET at_stake = w.at_stake + v_more
        WHERE w.account_id = NEW.account_id AND w.currency = NEW.currency;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_at_stake AFTER INSERT OR UPDATE ON billing.chargebacks
    FOR EACH ROW EXECUTE FUNCTION billing.note_at_stake();

UPDATE billing.wallets w SET at_stake = s.minor
FROM (SELECT c.account_id, c.currency, sum(billing.stake_of(c)) AS minor FROM billing.chargebacks c
      GROUP BY c.account_id, c.currency) s
WHERE (w.account_id, w.currency) = (s.account_id, s.currency);
