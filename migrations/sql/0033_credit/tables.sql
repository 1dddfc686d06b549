-- What a wallet may draw and when that falls due, a row for every change; the newest one counts, and the wallet's row
-- repeats it. `usual_minor` is the most that was usual at the moment of the change; what is above it was said with why.
CREATE TABLE billing.credit_lines (
    account_id uuid NOT NULL,
    currency text NOT NULL,
    version integer NOT NULL,
    limit_minor bigint NOT NULL,
    days smallint NOT NULL,
    usual_minor bigint NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT credit_lines_pkey PRIMARY KEY (account_id, currency, version),
    CONSTRAINT credit_lines_wallet_fkey FOREIGN KEY (account_id, currency) REFERENCES billing.wallets,
    CONSTRAINT credit_lines_check CHECK (
        limit_minor BETWEEN 0 AND 100000000000 AND days IN (7, 15, 30) AND version > 0 AND usual_minor >= 0
        AND length(reason) BETWEEN 1 AND 200)
);

-- What a wallet owes. The draws that fall due at one instant are one debt, which grows by them; every other debt is a
-- posting of its own, whose id it bears. `paid_minor` and `payments` sum the rows of debt_payments up.
CREATE TABLE billing.debts (
    id uuid CONSTRAINT debts_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    paid_minor bigint NOT NULL DEFAULT 0,
    payments integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT debts_wallet_fkey FOREIGN KEY (account_id, currency) REFERENCES billing.wallets,
    CONSTRAINT debts_check CHECK (
        kind IN ('draw', 'charge') AND amount_minor > 0 AND paid_minor BETWEEN 0 AND amount_minor AND payments >= 0)
);
CREATE UNIQUE INDEX debts_of_draws ON billing.debts (account_id, currency, due_at) WHERE kind = 'draw';
CREATE INDEX debts_open ON billing.debts (due_at, id) WHERE paid_minor < amount_minor;
CREATE INDEX debts_owner ON billing.debts (account_id, currency, due_at, id);

-- What of a hold was paid from credit, one row a hold at most; whose it is stands here too, for his statement.
CREATE TABLE billing.draws (
    hold_id uuid CONSTRAINT draws_pkey PRIMARY KEY,
    debt_id uuid NOT NULL CONSTRAINT draws_debt_id_fkey REFERENCES billing.debts,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT draws_amount_check CHECK (amount_minor > 0),
    transaction_id uuid NOT NULL CONSTRAINT draws_transaction_id_key UNIQUE
        CONSTRAINT draws_transaction_id_fkey REFERENCES billing.transactions
);
CREATE INDEX draws_debt_id ON billing.draws (debt_id);
CREATE INDEX draws_owner ON billing.draws (account_id, currency, transaction_id);

-- What was paid of a debt, numbered, so that the key of each payment is the debt's and its own.
CREATE TABLE billing.debt_payments (
    debt_id uuid NOT NULL CONSTRAINT debt_payments_debt_id_fkey REFERENCES billing.debts,
    number integer NOT NULL,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT debt_payments_amount_check CHECK (amount_minor > 0),
    transaction_id uuid NOT NULL CONSTRAINT debt_payments_transaction_id_key UNIQUE
        CONSTRAINT debt_payments_transaction_id_fkey REFERENCES billing.transactions,
    paid_at timestamptz NOT NULL,
    CONSTRAINT debt_payments_pkey PRIMARY KEY (debt_id, number)
);
CREATE INDEX debt_payments_owner ON billing.debt_payments (account_id, currency, transaction_id);

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.credit_lines
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.draws
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.debt_payments
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON billing.debts
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- What was lost before debts were kept is owed since then.
INSERT INTO billing.debts (id, account_id, currency, kind, amount_minor, due_at, made_at)
SELECT t.id, e.owner_id, e.currency, 'charge', e.amount_minor, t.occurred_at, t.occurred_at
FROM billing.entries e JOIN billing.transactions t ON t.id = e.transaction_id
WHERE e.account = 1110;
UPDATE billing.wallets w SET owed = s.minor
FROM (SELECT e.owner_id, e.currency, sum(e.amount_minor) AS minor FROM billing.entries e
      WHERE e.account = 1110 GROUP BY e.owner_id, e.currency) s
WHERE (w.account_id, w.currency) = (s.owner_id, s.currency);
