-- What an earner owes after money was taken back that was no longer there; netted against what becomes payable.
ALTER TABLE billing.earners
    ADD COLUMN owed bigint NOT NULL DEFAULT 0 CONSTRAINT earners_owed_check CHECK (owed >= 0);
CREATE INDEX earners_owing ON billing.earners (account_id, currency) WHERE owed > 0;

-- What went back of a captured hold, and where the earner's part of it was taken; several may add up to the capture.
CREATE TABLE billing.refunds (
    transaction_id uuid CONSTRAINT refunds_pkey PRIMARY KEY
        CONSTRAINT refunds_transaction_id_fkey REFERENCES billing.transactions,
    hold_id uuid NOT NULL CONSTRAINT refunds_hold_id_fkey REFERENCES billing.hold_resolutions,
    refunded_minor bigint NOT NULL CONSTRAINT refunds_refunded_check CHECK (refunded_minor > 0),
    promo_minor bigint NOT NULL CONSTRAINT refunds_promo_check CHECK (promo_minor BETWEEN 0 AND refunded_minor),
    share_minor bigint NOT NULL,
    from_reserve_minor bigint NOT NULL,
    from_payable_minor bigint NOT NULL,
    owed_minor bigint NOT NULL,
    CONSTRAINT refunds_share_check CHECK (
        least(from_reserve_minor, from_payable_minor, owed_minor) >= 0
        AND share_minor = from_reserve_minor + from_payable_minor + owed_minor)
);
CREATE INDEX refunds_hold_id ON billing.refunds (hold_id);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.refunds
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
