-- The chart of accounts: every place where an entry may stand, and the side on which it usually stands.
CREATE TABLE billing.chart_of_accounts (
    code smallint CONSTRAINT chart_of_accounts_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT chart_of_accounts_name_key UNIQUE,
    side text NOT NULL CONSTRAINT chart_of_accounts_side_check CHECK (side IN ('debit', 'credit')),
    is_owned boolean NOT NULL
);

INSERT INTO billing.chart_of_accounts (code, name, side, is_owned) VALUES
    (1000, 'stripe:clearing', 'debit', false),
    (1010, 'stripe:available', 'debit', false),
    (1020, 'stripe:in_transit', 'debit', false),
    (1030, 'bank', 'debit', false),
    (1040, 'stripe:charged_back', 'debit', false),
    (1100, 'recv:earner', 'debit', true),
    (1110, 'recv:wallet', 'debit', true),
    (1120, 'vat:input', 'debit', false),
    (2000, 'wallet:available', 'credit', true),
    (2010, 'wallet:held', 'credit', true),
    (2020, 'wallet:frozen', 'credit', true),
    (2030, 'wallet:promo', 'credit', true),
    (2100, 'earner:payable', 'credit', true),
    (2110, 'earner:reserve', 'credit', true),
    (2120, 'earner:in_flight', 'credit', true),
    (2200, 'refunds:in_flight', 'credit', false),
    (2210, 'vat:output', 'credit', false),
    (2900, 'suspense', 'credit', false),
    (3000, 'own_funds', 'credit', false),
    (4000, 'income', 'credit', false),
    (4100, 'fees', 'credit', false),
    (5000, 'earner_share', 'debit', false),
    (5100, 'stripe_fees', 'debit', false),
    (5110, 'chargeback_fees', 'debit', false),
    (5200, 'bad_debt', 'debit', false),
    (5300, 'promo', 'debit', false),
    (5900, 'fx', 'debit', false);
