-- When a paused order buys again by itself; NULL waits for somebody to resume it.
ALTER TABLE marketplace.orders
    ADD COLUMN resumes_at timestamptz,
    ADD CONSTRAINT orders_resumes_check CHECK (resumes_at IS NULL OR status = 'paused');
CREATE INDEX orders_resumes_idx ON marketplace.orders (resumes_at) WHERE resumes_at IS NOT NULL;
