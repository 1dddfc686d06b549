-- On which version of his terms the publisher made a sale. What was sold before versions were kept was sold on the first:
-- nothing had changed the terms of a publisher until then.
ALTER TABLE marketplace.sales ADD COLUMN terms_version integer NOT NULL DEFAULT 1;
ALTER TABLE marketplace.sales ALTER COLUMN terms_version DROP DEFAULT;

-- How many sales of a publisher were settled, and lately, is read from the index alone.
CREATE INDEX sales_settled_of_publisher_idx ON marketplace.sales (publisher_id, ended_at) WHERE state = 'settled';
