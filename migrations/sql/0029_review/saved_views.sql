-- The filters of a list that a person keeps under a name; each person's own, whatever account they act for.
CREATE TABLE core.saved_views (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES core.users,
    list text NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    query text NOT NULL CHECK (char_length(query) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL,
    CONSTRAINT saved_views_name_key UNIQUE (user_id, list, name)
);
