-- A publisher's terms, a row for every change, kept for good. `tier_terms` is all that the tier granted at that moment,
-- `own` what was said for this account alone and stands above it, field by field: what holds is tier_terms || own.
CREATE TABLE affiliates.terms_versions (
    account_id uuid NOT NULL CONSTRAINT terms_versions_account_id_fkey REFERENCES affiliates.publishers,
    version integer NOT NULL,
    tier text NOT NULL,
    is_pinned boolean NOT NULL,
    tier_terms jsonb NOT NULL,
    own jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT terms_versions_pkey PRIMARY KEY (account_id, version),
    CONSTRAINT terms_versions_check CHECK (
        version > 0 AND tier IN ('new', 'standard', 'trusted', 'top') AND length(reason) BETWEEN 1 AND 400
        AND jsonb_typeof(tier_terms) = 'object' AND jsonb_typeof(own) = 'object' AND NOT own ? 'min_margin_minor')
);

-- What the weekly look at a publisher found and decided: once a week, named by its Monday (UTC). `judged` are the sales
-- that ended lately, `upheld` those of them that went back, wholly or in part, at the publisher's cost.
CREATE TABLE affiliates.tier_reviews (
    account_id uuid NOT NULL CONSTRAINT tier_reviews_account_id_fkey REFERENCES affiliates.publishers,
    week date NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    verdict text NOT NULL,
    age_days integer NOT NULL,
    settled integer NOT NULL,
    judged integer NOT NULL,
    upheld integer NOT NULL,
    reviewed_at timestamptz NOT NULL,
    CONSTRAINT tier_reviews_pkey PRIMARY KEY (account_id, week),
    CONSTRAINT tier_reviews_check CHECK (
        verdict IN ('promoted', 'demoted', 'kept', 'pinned', 'waits') AND extract(isodow FROM week) = 1
        AND (verdict IN ('promoted', 'demoted')) = (before <> after)
        AND age_days >= 0 AND settled >= 0 AND judged >= 0 AND upheld BETWEEN 0 AND judged)
);

CREATE FUNCTION affiliates.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on affiliates.% is refused: terms are only added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON affiliates.terms_versions
    FOR EACH STATEMENT EXECUTE FUNCTION affiliates.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON affiliates.tier_reviews
    FOR EACH STATEMENT EXECUTE FUNCTION affiliates.refuse_change();

-- The publishers that are there got their terms when they were opened, and nothing has changed them since. What differs
-- from the tier as it shipped then was said for the account.
ALTER TABLE affiliates.publishers ADD COLUMN terms_version integer NOT NULL DEFAULT 1;
ALTER TABLE affiliates.publishers ALTER COLUMN terms_version DROP DEFAULT;

INSERT INTO affiliates.terms_versions (account_id, version, tier, is_pinned, tier_terms, own, changed_at, actor, reason)
SELECT p.account_id, 1, p.tier, false, t.terms,
       (SELECT coalesce(jsonb_object_agg(f.name, f.value), '{}')
        FROM jsonb_each(jsonb_build_object(
            'share_bp', p.share_bp, 'extra_hold_days', p.extra_hold_days, 'reserve_bp', p.reserve_bp,
            'reserve_days', p.reserve_days)) AS f (name, value)
        WHERE f.value <> t.terms -> f.name),
       least(p.changed_at, uuid_extract_timestamp(p.account_id)), 'system:opening', 'These were the terms at the opening.'
FROM affiliates.publishers p
JOIN (VALUES ('new', 7000, 15, 2000, 45, 1, false, true), ('standard', 7500, 7, 1000, 30, 2, false, false),
             ('trusted', 8000, 0, 500, 30, 4, false, false), ('top', 8500, 0, 200, 30, 4, true, false)
     ) AS s (tier, share_bp, extra_hold_days, reserve_bp, reserve_days, payouts_a_month, on_request, reviewed)
    ON s.tier = p.tier
CROSS JOIN LATERAL jsonb_build_object(
    'share_bp', s.share_bp, 'extra_hold_days', s.extra_hold_days, 'reserve_bp', s.reserve_bp,
    'reserve_days', s.reserve_days, 'payouts_a_month', s.payouts_a_month, 'on_request', s.on_request,
    'threshold_minor', 5000, 'threshold_other_minor', 10000, 'first_payout_reviewed', s.reviewed,
    'first_payout_most_minor', 100000, 'min_margin_minor', p.min_margin_minor) AS t (terms);

-- The version that a publisher's row names is there, and the row repeats it: so says the database at every commit.
ALTER TABLE affiliates.publishers ADD CONSTRAINT publishers_terms_version_fkey
    FOREIGN KEY (account_id, terms_version) REFERENCES affiliates.terms_versions DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION affiliates.check_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM affiliates.publishers p
        JOIN affiliates.terms_versions v ON v.account_id = p.account_id AND v.version = p.terms_version
        CROSS JOIN LATERAL jsonb_to_record(v.tier_terms || v.own) AS t (
            share_bp integer, extra_hold_days integer, reserve_bp integer, reserve_days integer, min_margin_minor bigint)
        WHERE p.account_id = NEW.account_id
          AND (p.tier, p.share_bp, p.extra_hold_days, p.reserve_bp, p.reserve_days, p.min_margin_minor)
              IS DISTINCT FROM
              (v.tier, t.share_bp, t.extra_hold_days, t.reserve_bp, t.reserve_days, t.min_margin_minor)
    ) THEN
        RAISE EXCEPTION 'the publisher % is not as the version of his terms says', NEW.account_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'publishers_as_versioned';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER publishers_as_versioned AFTER INSERT OR UPDATE ON affiliates.publishers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION affiliates.check_terms();
