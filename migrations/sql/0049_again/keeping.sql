-- Whether a lead in this status may be offered again: nobody bought it, or its consent lets others have it later.
CREATE FUNCTION marketplace.is_kept(p_status text, p_test boolean, p_details jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN NOT p_test AND (p_status = 'unsold'
        OR p_status IN ('sold', 'pending') AND p_details @> '{"consent": {"resale": true}}');
END $$;

-- Keep a lead from the moment on in which it is unsold, or sold with such a consent; the latter is looked at first when it
-- is aged. One that falls back to unsold is looked at now.
CREATE FUNCTION marketplace.keep_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketplace.kept_leads AS k
        (lead_id, publisher_id, source_name, vertical_id, country, received_at, state, due_at)
    VALUES (NEW.id, NEW.publisher_id, NEW.source_name, NEW.vertical_id, split_part(NEW.region, '-', 1), NEW.received_at,
            'open', NEW.received_at + CASE NEW.status WHEN 'unsold' THEN interval '0' ELSE interval '1 day' END)
    ON CONFLICT (lead_id) DO UPDATE SET due_at = excluded.due_at WHERE k.state = 'open' AND NEW.status = 'unsold';
    RETURN NULL;
END $$;
CREATE TRIGGER leads_kept AFTER INSERT ON marketplace.leads
    FOR EACH ROW WHEN (marketplace.is_kept(NEW.status, NEW.test, NEW.details)) EXECUTE FUNCTION marketplace.keep_lead();
CREATE TRIGGER leads_kept_again AFTER UPDATE OF status ON marketplace.leads
    FOR EACH ROW WHEN (marketplace.is_kept(NEW.status, NEW.test, NEW.details) AND NEW.status <> OLD.status)
    EXECUTE FUNCTION marketplace.keep_lead();

INSERT INTO marketplace.kept_leads (lead_id, publisher_id, source_name, vertical_id, country, received_at, state, due_at)
SELECT id, publisher_id, source_name, vertical_id, split_part(region, '-', 1), received_at, 'open', received_at
FROM marketplace.leads WHERE marketplace.is_kept(status, test, details);

-- A sale that comes back is a reason to look at its lead.
CREATE FUNCTION marketplace.look_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketplace.kept_leads SET due_at = NEW.ended_at WHERE lead_id = NEW.lead_id AND state = 'open';
    RETURN NULL;
END $$;
CREATE TRIGGER sales_returned AFTER UPDATE OF state ON marketplace.sales
    FOR EACH ROW WHEN (NEW.state = 'returned' AND OLD.state <> 'returned') EXECUTE FUNCTION marketplace.look_again();

-- An order of aged leads, or one that waits, looks through the kept leads whenever it is placed, changed or resumed.
CREATE FUNCTION marketplace.seek() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marketplace.seekers (order_id, due_at) VALUES (NEW.order_id, NEW.at)
    ON CONFLICT (order_id) DO UPDATE SET due_at = excluded.due_at, below_at = NULL, below_id = NULL, again_at = NULL,
        needs_minor = NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER order_versions_seek AFTER INSERT ON marketplace.order_versions
    FOR EACH ROW WHEN (NEW.terms @? '$.age.to_minutes' OR NEW.terms @? '$.wait_minutes ? (@ > 0)')
    EXECUTE FUNCTION marketplace.seek();

-- So do all of a buyer's orders when what he allows them together changes.
CREATE FUNCTION marketplace.seek_by_limits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketplace.seekers s SET due_at = NEW.at, below_at = NULL, below_id = NULL, again_at = NULL, needs_minor = NULL
    FROM marketplace.orders o WHERE o.id = s.order_id AND o.buyer_id = NEW.buyer_id;
    RETURN NULL;
END $$;
CREATE TRIGGER buyer_limits_seek AFTER INSERT ON marketplace.buyer_limits
    FOR EACH ROW EXECUTE FUNCTION marketplace.seek_by_limits();

-- And those that deliver to an endpoint which rests no longer: while it rested, no lead was looked at for them.
CREATE FUNCTION marketplace.seek_by_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE marketplace.seekers s
    SET due_at = coalesce(NEW.probe_at, OLD.probe_at), below_at = NULL, below_id = NULL, again_at = NULL, needs_minor = NULL
    FROM marketplace.orders o WHERE o.id = s.order_id AND o.buyer_id = NEW.buyer_id AND o.endpoint = NEW.address;
    RETURN NULL;
END $$;
CREATE TRIGGER endpoints_seek AFTER UPDATE OF state ON marketplace.endpoints
    FOR EACH ROW WHEN (OLD.state IN ('open', 'probing') AND NEW.state IN ('half_open', 'closed'))
    EXECUTE FUNCTION marketplace.seek_by_endpoint();
