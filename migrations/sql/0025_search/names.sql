-- Operators find accounts by how their name begins, whatever its capitals.
CREATE INDEX accounts_name_idx ON core.accounts (lower(name) text_pattern_ops);
