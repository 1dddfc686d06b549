-- How fast and how often a buyer reaches for a sale: one short row beside the sale, whose own row is hot.
CREATE TABLE marketplace.sale_contacts (
    sale_id uuid PRIMARY KEY REFERENCES marketplace.sales,
    buyer_id uuid NOT NULL,
    order_id uuid NOT NULL,
    order_version integer NOT NULL,
    publisher_id uuid NOT NULL,
    timezone text NOT NULL,
    delivered_at timestamptz NOT NULL,
    delivered_hour smallint NOT NULL CHECK (delivered_hour BETWEEN 0 AND 23),  -- on the wall clock of `timezone`
    due_at timestamptz NOT NULL,         -- the first attempt is in time until here
    left_alone_at timestamptz NOT NULL,  -- a sale untouched until here counts against its order
    first_attempt_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    attempt_days integer NOT NULL DEFAULT 0,
    first_contact_at timestamptz,
    last_status text,
    last_at timestamptz,
    follow_up_at timestamptz,
    late_at timestamptz,             -- when it was found late, which is announced once
    follow_up_told_at timestamptz,   -- when the present follow-up was announced
    CHECK (due_at >= delivered_at AND left_alone_at >= delivered_at),
    CHECK (attempts >= attempt_days AND attempt_days >= 0),
    CHECK ((first_attempt_at IS NULL) = (last_status IS NULL) AND (last_status IS NULL) = (last_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX sale_contacts_buyer_id_idx ON marketplace.sale_contacts (buyer_id, delivered_at);
CREATE INDEX sale_contacts_publisher_id_idx ON marketplace.sale_contacts (publisher_id, delivered_at);
CREATE INDEX sale_contacts_order_id_idx ON marketplace.sale_contacts (order_id, left_alone_at);
CREATE INDEX sale_contacts_due_at_idx ON marketplace.sale_contacts (due_at)
    WHERE first_attempt_at IS NULL AND late_at IS NULL;
CREATE INDEX sale_contacts_follow_up_at_idx ON marketplace.sale_contacts (follow_up_at)
    WHERE follow_up_at IS NOT NULL AND follow_up_told_at IS NULL;
CREATE INDEX sale_contacts_follow_ups_idx ON marketplace.sale_contacts (buyer_id, follow_up_at)
    WHERE follow_up_at IS NOT NULL;

-- What the buyer said of a sale, in his order: only added to.
CREATE TABLE marketplace.dispositions (
    id uuid PRIMARY KEY,
    sale_id uuid NOT NULL REFERENCES marketplace.sale_contacts,
    status text NOT NULL
        CHECK (status IN ('attempted', 'contacted', 'qualified', 'unreachable', 'won', 'lost')),
    at timestamptz NOT NULL,
    local_day date NOT NULL,  -- of `at`, in the zone of the sale's order
    lost_reason text,
    follow_up_at timestamptz,
    note text,
    actor text NOT NULL,
    reported_at timestamptz NOT NULL,
    CONSTRAINT dispositions_sale_id_key UNIQUE (sale_id, at, status),
    CHECK ((status = 'lost') = (lost_reason IS NOT NULL)),
    CHECK (follow_up_at > at AND status NOT IN ('won', 'lost') OR follow_up_at IS NULL)
);

-- Up to which delivery the watch has given sales their clock; one row.
CREATE TABLE marketplace.contact_watch (
    id smallint PRIMARY KEY CHECK (id = 1),
    looked_to timestamptz NOT NULL
);
-- What was delivered before there was a clock is nobody's lateness.
INSERT INTO marketplace.contact_watch (id, looked_to)
SELECT 1, coalesce(max(delivered_at), '2000-01-01T00:00:00Z') FROM marketplace.sales;

-- The watch reads by the instant of delivery; a BRIN costs a sale next to nothing.
CREATE INDEX sales_delivered_at_idx ON marketplace.sales USING brin (delivered_at);
