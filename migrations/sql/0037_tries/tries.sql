-- A call that was withdrawn was never sent.
ALTER TABLE billing.card_calls DROP CONSTRAINT card_calls_check;
ALTER TABLE billing.card_calls ADD CONSTRAINT card_calls_check CHECK (
    verb IN ('open_checkout', 'send_back', 'open_card_page', 'forget_card', 'charge_card')
    AND state IN ('due', 'sent', 'done', 'refused', 'lost')
    AND (state IN ('due', 'sent')) = (ended_at IS NULL)
    AND (state = 'due') <= (sent_at IS NULL)
    AND (sent_at IS NULL) <= (state IN ('due', 'refused')));

-- What a card's bank said to a charge that took nothing, so that it is counted whatever becomes of the settings and of
-- the card: saved anew, it has the same fingerprint.
ALTER TABLE billing.saved_cards ADD COLUMN fingerprint text;
ALTER TABLE billing.top_ups ADD COLUMN declined_as text CONSTRAINT top_ups_declined_check CHECK (
    declined_as IS NULL
    OR (declined_as IN ('declined', 'authentication') AND state = 'refused' AND card_id IS NOT NULL));
UPDATE billing.top_ups t SET declined_as = CASE l.code WHEN 'declined' THEN 'declined' ELSE 'authentication' END
FROM billing.recharge_log l
WHERE l.top_up_id = t.id AND l.code IN ('declined', 'authentication_required') AND t.state = 'refused'
  AND t.card_id IS NOT NULL;
CREATE INDEX top_ups_declined_idx ON billing.top_ups (account_id, ended_at) WHERE declined_as IS NOT NULL;

-- A pause after declines follows from them; only what a bank wants its customer to pay stands with the settings, and not
-- where that was paid since.
ALTER TABLE billing.recharges
    ADD COLUMN resumed_after uuid CONSTRAINT recharges_resumed_after_fkey REFERENCES billing.top_ups;
UPDATE billing.recharges r SET resumed_after = (
    SELECT t.id FROM billing.top_ups t
    WHERE t.account_id = r.account_id AND t.currency = r.currency AND t.declined_as = 'declined'
    ORDER BY t.opened_at DESC, t.id DESC LIMIT 1)
WHERE r.declines = 0;
UPDATE billing.recharges r SET asked_minor = NULL, paused_why = NULL, paused_at = NULL
WHERE r.paused_why = 'authentication' AND EXISTS (
    SELECT FROM billing.top_ups t
    WHERE t.account_id = r.account_id AND t.currency = r.currency AND t.card_id IS NULL AND t.state = 'paid'
      AND t.ended_at > r.paused_at AND t.amount_minor >= r.asked_minor);
ALTER TABLE billing.recharges
    DROP CONSTRAINT recharges_check,
    DROP COLUMN declines, DROP COLUMN not_before, DROP COLUMN paused_why, DROP COLUMN paused_at,
    ADD CONSTRAINT recharges_check CHECK (
        length(currency) = 3 AND threshold_minor > 0 AND amount_minor > 0 AND target_minor > 0
        AND (amount_minor IS NULL OR target_minor IS NULL) AND coalesce(target_minor > threshold_minor, true)
        AND daily_most_minor > 0 AND version > 0 AND asked_minor > 0);
