-- What the intake hands to the sale function: the candidates that the index found, as parallel arrays ...
CREATE TYPE marketplace.offer AS (
    orders uuid[], versions integer[], buyers uuid[], prices bigint[],
    shares smallint[],       -- the most buyers a set with this order may have; 1 is exclusive
    starts bigint[],         -- four a candidate: where its hour, day, week and month began
    is_last boolean,         -- no order beyond these can buy the lead
    book_version bigint      -- the state of the book in which they were found
);

-- ... the rules of the vertical and the publisher's own floor ...
CREATE TYPE marketplace.rules AS (
    currency text, person_keys bytea[], dedupe_days integer, window_hours integer, hold_days integer, min_payout bigint
);

-- ... and who sent it, with what makes a repetition of the call harmless.
CREATE TYPE marketplace.sender AS (
    key_id uuid, account_id uuid, actor text, now timestamptz,  -- now: real time, by which answers are kept
    route text, idempotency_key text, fingerprint bytea,
    answer jsonb,            -- what the answer says beside status, reasons and sales
    in_batch boolean         -- several leads share the transaction, so no sale is made in it (it would hold locks)
);

-- What came of it: the chosen candidates by position, the sales' ids beside them, and the story of each one tried.
CREATE TYPE marketplace.deal AS (
    outcome text,            -- sold, unsold, duplicate; more, behind or alone: nothing was done, call again
    picked integer[], sale_ids uuid[], tried text[]
);
