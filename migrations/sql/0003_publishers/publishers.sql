-- The publishers' floor: on which terms a publisher's sales are shared, held and reserved.
CREATE SCHEMA affiliates;

CREATE TABLE affiliates.publishers (
    account_id uuid PRIMARY KEY,
    standing text NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'paused')),
    tier text NOT NULL CHECK (tier IN ('new', 'standard', 'trusted', 'top')),
    share_bp integer NOT NULL CHECK (share_bp BETWEEN 0 AND 10000),
    extra_hold_days integer NOT NULL CHECK (extra_hold_days >= 0),
    reserve_bp integer NOT NULL CHECK (reserve_bp BETWEEN 0 AND 10000),
    reserve_days integer NOT NULL CHECK (reserve_days >= 0),
    min_margin_minor bigint NOT NULL CHECK (min_margin_minor >= 0),
    changed_at timestamptz NOT NULL
);

-- The publisher's terms at this moment; they are pinned to each sale by whoever sells.
CREATE FUNCTION affiliates.terms_of(p_account uuid) RETURNS affiliates.publishers
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_terms affiliates.publishers;
BEGIN
    SELECT * INTO v_terms FROM affiliates.publishers p WHERE p.account_id = p_account;
    RETURN v_terms;
END $$;

-- What the publisher gets of a price: his share, half a cent up, unless that leaves less than the least margin.
CREATE FUNCTION affiliates.payout_of(p_price bigint, p_share_bp integer, p_min_margin bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(least((p_price * p_share_bp + 5000) / 10000, p_price - p_min_margin), 0)
$$;
