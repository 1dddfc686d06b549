-- What a wallet may draw and what it owes, beside its balances in the one row that a sale changes anyway: `drawn` is
-- credit that was drawn and not paid back, `owed` every other debt, and both together what stands in recv:wallet.
-- `stopped_at` closes a wallet whose debts are overdue to new holds, until what is due is paid.
ALTER TABLE billing.wallets
    ADD COLUMN credit_limit bigint NOT NULL DEFAULT 0,
    ADD COLUMN credit_days smallint NOT NULL DEFAULT 0,
    ADD COLUMN drawn bigint NOT NULL DEFAULT 0,
    ADD COLUMN owed bigint NOT NULL DEFAULT 0,
    ADD COLUMN stopped_at timestamptz;

CREATE OR REPLACE FUNCTION billing.is_wallet(w billing.wallets) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN least(w.available, w.held, w.frozen, w.promo, w.drawn, w.owed, w.credit_limit) >= 0
        AND length(w.currency) = 3;
END $$;

-- What could be set aside at this moment, told without a lock, the room of its credit line included; no row when there
-- is no wallet, or it is suspended or stopped. Planned into the query that asks, so that a sale asks several floors in
-- one statement.
CREATE OR REPLACE FUNCTION billing.spendable(p_account uuid, p_currency text) RETURNS SETOF bigint
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT w.available + w.promo + greatest(w.credit_limit - w.drawn, 0) FROM billing.wallets w
    WHERE w.account_id = p_account AND w.currency = p_currency AND w.suspended_at IS NULL AND w.stopped_at IS NULL
$$;
