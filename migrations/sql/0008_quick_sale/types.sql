-- The rules of the vertical and the publisher's own floor ...
CREATE TYPE marketplace.rules AS (
    currency text, person_keys bytea[], dedupe_days integer, window_hours integer, hold_days integer, min_payout bigint
);

-- ... and who sent it, with what makes a repetition of the call harmless.
CREATE TYPE marketplace.sender AS (
    key_id uuid, account_id uuid, actor text, now timestamptz,  -- now: real time, by which answers are kept
    route text, idempotency_key text, fingerprint bytea,
    answer text,             -- what the answer says before status, reasons and sales: an unclosed JSON object
    in_batch boolean         -- several leads share the transaction, so no sale is made in it (it would hold locks)
);

-- What came of it: the chosen candidates by position, the sales' ids beside them, the story of each one tried, and the
-- sales as the answer shows them.
CREATE TYPE marketplace.deal AS (
    outcome text,            -- sold, unsold, duplicate; more, behind or alone: nothing was done, call again
    picked integer[], sale_ids uuid[], tried text[], sales text
);
