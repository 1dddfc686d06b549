-- Who registered by himself is a newcomer for a while; accounts that an operator opened are not.
ALTER TABLE core.accounts ADD COLUMN registered_at timestamptz;
