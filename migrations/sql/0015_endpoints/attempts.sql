-- Attempts that were not sent, as the endpoint was paused or the request cannot be written; and attempts by hand, with
-- who asked. One of a lead that is its buyer's already waits here, with a lease that has run out, for a courier.
ALTER TABLE marketplace.delivery_attempts
    DROP CONSTRAINT delivery_attempts_outcome_check,
    ADD CONSTRAINT delivery_attempts_outcome_check CHECK (outcome IN ('accepted', 'refused', 'error', 'not_sent')),
    ADD COLUMN asked_by text,
    ADD COLUMN lease_until timestamptz;
CREATE INDEX delivery_attempts_by_hand_idx ON marketplace.delivery_attempts (lease_until)
    WHERE lease_until IS NOT NULL;
-- Who asked that a sale which waits be delivered now; the attempt takes it over.
ALTER TABLE marketplace.deliveries ADD COLUMN asked_by text;
