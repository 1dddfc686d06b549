-- What a user needs to sign in. `fs_uniquifier` stands in the session's cookie: a new one ends every session.
ALTER TABLE core.users
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    ADD COLUMN fs_uniquifier text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
    ADD COLUMN confirmed_at timestamptz,
    ADD COLUMN language text,
    ADD COLUMN tf_primary_method text,
    ADD COLUMN tf_totp_secret text,
    ADD COLUMN tf_last_counter bigint,
    ADD COLUMN mf_recovery_codes text[],
    ADD CONSTRAINT users_fs_uniquifier_key UNIQUE (fs_uniquifier),
    ADD CONSTRAINT users_factor_check CHECK (tf_primary_method IS NULL OR tf_totp_secret IS NOT NULL);

UPDATE core.users SET confirmed_at = created_at;
