-- A key knows the standing of its account: the foreign key carries every change over, so that whether a key is good is
-- read from one row, which each posted lead asks.
ALTER TABLE core.accounts ADD CONSTRAINT accounts_id_standing_key UNIQUE (id, standing);
ALTER TABLE core.api_keys ADD COLUMN account_standing text NOT NULL DEFAULT 'active';
UPDATE core.api_keys k SET account_standing = a.standing FROM core.accounts a WHERE a.id = k.account_id;
ALTER TABLE core.api_keys DROP CONSTRAINT api_keys_account_id_fkey,
    ADD CONSTRAINT api_keys_account_fkey FOREIGN KEY (account_id, account_standing)
        REFERENCES core.accounts (id, standing) ON UPDATE CASCADE;

CREATE OR REPLACE FUNCTION core.good_key(p_key uuid) RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT k.id FROM core.api_keys k WHERE k.id = p_key AND k.revoked_at IS NULL AND k.account_standing = 'active'
$$;
