-- How often something was tried in a window of time, by whom under a keyed hash; what was refused is counted too.
CREATE TABLE core.attempts (
    action text NOT NULL CHECK (action IN ('sign_in', 'mail')),
    by text NOT NULL CHECK (by IN ('address', 'person')),
    subject bytea NOT NULL CHECK (length(subject) = 32),
    starts_at timestamptz NOT NULL,
    tried integer NOT NULL CHECK (tried >= 0),
    refused integer NOT NULL DEFAULT 0 CHECK (refused >= 0),
    PRIMARY KEY (subject, action, by, starts_at)
);

CREATE INDEX attempts_starts_at_idx ON core.attempts (starts_at);

-- Count one try and say whether it is within the limit; two at once never both take the last place.
CREATE FUNCTION core.try_once(
    p_action text, p_by text, p_subject bytea, p_starts_at timestamptz, p_limit integer
) RETURNS boolean
LANGUAGE sql
AS $$
    INSERT INTO core.attempts AS a (action, by, subject, starts_at, tried)
    VALUES (p_action, p_by, p_subject, p_starts_at, 1)
    ON CONFLICT (subject, action, by, starts_at) DO UPDATE
        SET tried = a.tried + 1, refused = a.refused + (a.tried >= p_limit)::integer
    RETURNING tried <= p_limit;
$$;
