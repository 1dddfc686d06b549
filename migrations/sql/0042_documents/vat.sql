-- How an account's documents are taxed, a row for every change; the newest counts from then on. Nobody's are taxed
-- until an operator has said so.
CREATE TABLE billing.vat_terms (
    account_id uuid NOT NULL,
    version integer NOT NULL,
    treatment text NOT NULL,
    country text NOT NULL,
    vat_number text NOT NULL,
    rate_bp integer NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    said_at timestamptz NOT NULL,
    CONSTRAINT vat_terms_pkey PRIMARY KEY (account_id, version),
    CONSTRAINT vat_terms_check CHECK (
        version > 0 AND treatment IN ('rate', 'reverse_charge', 'none') AND length(vat_number) <= 40
        AND length(reason) BETWEEN 1 AND 200 AND (treatment = 'rate') = (rate_bp > 0) AND rate_bp BETWEEN 0 AND 5000
        AND (treatment = 'none' OR country ~ '^[A-Z]{2}$') AND (treatment <> 'reverse_charge' OR vat_number <> ''))
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.vat_terms
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- Book the tax of an earner's statement, once per key: D vat:input / C payable. Of a statement that took more back than
-- it gave, the tax goes back the same way: out of what is payable, and what is missing there is owed.
CREATE FUNCTION billing.post_earner_vat(
    p_account uuid, p_currency text, p_minor bigint, p_key text, p_source text, p_actor text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_fingerprint bytea := billing.fingerprint_of('vat_statement', p_account::text, p_currency, p_minor::text);
    v_answer text := billing.answer_for_key(p_key, v_fingerprint);
    v_payable bigint;
    v_id uuid;
BEGIN
    IF v_answer IS NOT NULL THEN
        RETURN v_answer;
    END IF;
    PERFORM billing.open_earner(p_account, p_currency);
    SELECT greatest(p_minor, -e.payable) INTO v_payable FROM billing.earners e
    WHERE (e.account_id, e.currency) = (p_account, p_currency) FOR NO KEY UPDATE;
    UPDATE billing.earners e SET payable = e.payable + v_payable, owed = e.owed + v_payable - p_minor
    WHERE (e.account_id, e.currency) = (p_account, p_currency);
    INSERT INTO billing.transactions (key, kind, currency, fingerprint, source, actor, occurred_at)
    VALUES (p_key, 'vat_statement', p_currency, v_fingerprint, p_source, p_actor, p_at) RETURNING id INTO v_id;
    INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor)
    SELECT v_id, l.line, l.account, l.owner_id, p_currency, l.minor
    FROM (VALUES (1::smallint, 1120::smallint, NULL::uuid, p_minor), (2, 2100, p_account, -v_payable),
                 (3, 1100, p_account, v_payable - p_minor)) AS l (line, account, owner_id, minor)
    WHERE l.minor <> 0;
    RETURN 'committed';
END $$;
