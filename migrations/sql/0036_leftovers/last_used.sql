-- On which UTC day a key was last seen; written at most once a day and key by each process.
ALTER TABLE core.api_keys ADD COLUMN last_used_on date;
