-- What is asked of the card processor for those who are paid.
ALTER TABLE billing.card_calls DROP CONSTRAINT card_calls_check;
ALTER TABLE billing.card_calls ADD CONSTRAINT card_calls_check CHECK (
    verb IN ('open_checkout', 'send_back', 'open_card_page', 'forget_card', 'charge_card', 'open_account',
             'send_transfer', 'reverse_transfer')
    AND state IN ('due', 'sent', 'done', 'refused', 'lost') AND (state IN ('due', 'sent')) = (ended_at IS NULL)
    AND (state = 'due') <= (sent_at IS NULL) AND (sent_at IS NULL) <= (state IN ('due', 'refused')));

-- Write down a call with the fact that needs it. One subject is asked for once: its key is its own.
CREATE FUNCTION billing.write_card_call(p_verb text, p_subject uuid, p_payload jsonb, p_in_hand boolean) RETURNS uuid
LANGUAGE sql AS $$
    INSERT INTO billing.card_calls (id, verb, subject_id, idempotency_key, payload, made_at, next_attempt_at)
    VALUES (uuidv7(), p_verb, p_subject, 'leadbourse:' || p_subject, p_payload, now(),
            now() + CASE WHEN p_in_hand THEN interval '60 s' ELSE interval '0 s' END)
    RETURNING id;
$$;

-- What of the balance there could be sent on when it was last read.
ALTER TABLE billing.card_balances ADD COLUMN ready_minor bigint NOT NULL DEFAULT 0;
