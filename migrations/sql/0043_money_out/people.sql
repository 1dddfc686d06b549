-- When operators were last told what waits for them.
CREATE TABLE marketplace.people_told (
    told_at timestamptz CONSTRAINT people_told_pkey PRIMARY KEY,
    waiting jsonb NOT NULL CONSTRAINT people_told_check CHECK (jsonb_typeof(waiting) = 'object')
);
