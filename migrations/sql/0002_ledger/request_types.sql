-- What resolve_holds is asked and answers, one of each per hold.
CREATE TYPE billing.hold_request AS (
    hold_id uuid,
    capture_minor bigint,
    earner_id uuid,
    share_minor bigint,
    reserve_minor bigint,
    reserve_until timestamptz,
    reason text
);

CREATE TYPE billing.hold_outcome AS (hold_id uuid, state text);
