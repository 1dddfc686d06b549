-- A top-up that charges a saved card without its owner names the card; there is no page, so it is 'opening' until the
-- processor has said paid or refused. No wallet has two of them at once.
ALTER TABLE billing.top_ups ADD COLUMN card_id uuid CONSTRAINT top_ups_card_id_fkey REFERENCES billing.saved_cards;
CREATE UNIQUE INDEX top_ups_one_recharge ON billing.top_ups (account_id, currency)
    WHERE card_id IS NOT NULL AND state = 'opening';

ALTER TABLE billing.card_calls DROP CONSTRAINT card_calls_check;
ALTER TABLE billing.card_calls ADD CONSTRAINT card_calls_check CHECK (
    verb IN ('open_checkout', 'send_back', 'open_card_page', 'forget_card', 'charge_card')
    AND state IN ('due', 'sent', 'done', 'refused', 'lost')
    AND (state IN ('due', 'sent')) = (ended_at IS NULL)
    AND (state = 'due') = (sent_at IS NULL));

-- When and by how much a wallet tops itself up. Without a threshold or target, by its own pace of spending.
CREATE TABLE billing.recharges (
    account_id uuid NOT NULL,
    currency text NOT NULL,
    is_on boolean NOT NULL,
    card_id uuid CONSTRAINT recharges_card_id_fkey REFERENCES billing.saved_cards,
    threshold_minor bigint,
    amount_minor bigint,
    target_minor bigint,
    daily_most_minor bigint NOT NULL,
    version integer NOT NULL,
    declines integer NOT NULL DEFAULT 0,
    not_before timestamptz,
    paused_why text,
    paused_at timestamptz,
    asked_minor bigint,
    last_code text NOT NULL DEFAULT '',
    actor text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT recharges_pkey PRIMARY KEY (account_id, currency),
    CONSTRAINT recharges_check CHECK (
        length(currency) = 3 AND threshold_minor > 0 AND amount_minor > 0 AND target_minor > 0
        AND (amount_minor IS NULL OR target_minor IS NULL) AND coalesce(target_minor > threshold_minor, true)
        AND daily_most_minor > 0 AND version > 0 AND declines >= 0
        AND (paused_why IS NULL) = (paused_at IS NULL) AND paused_why IN ('declined', 'authentication')
        AND (paused_why IS NOT DISTINCT FROM 'authentication') = (asked_minor IS NOT NULL))
);
CREATE INDEX recharges_on_idx ON billing.recharges (account_id, currency) WHERE is_on;

-- What became of it and why, for its owner to read.
CREATE TABLE billing.recharge_log (
    id uuid CONSTRAINT recharge_log_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    currency text NOT NULL,
    at timestamptz NOT NULL,
    code text NOT NULL,
    amount_minor bigint,
    top_up_id uuid CONSTRAINT recharge_log_top_up_id_fkey REFERENCES billing.top_ups,
    says text NOT NULL,
    actor text NOT NULL
);
CREATE INDEX recharge_log_account_id_idx ON billing.recharge_log (account_id, currency, id);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.recharge_log
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
