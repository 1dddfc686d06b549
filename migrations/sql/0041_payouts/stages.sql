-- `none` stands for a payout that is not there yet.
INSERT INTO billing.payout_stages (from_state, to_state) VALUES
    ('none', 'drafted'), ('none', 'skipped'),
    ('drafted', 'approved'), ('drafted', 'withdrawn'),
    ('approved', 'ordered'), ('approved', 'withdrawn'),
    ('ordered', 'sent'), ('ordered', 'refused'),
    ('sent', 'paid'), ('sent', 'failed'),
    ('paid', 'failed'), ('paid', 'reversed'),
    ('failed', 'paid'), ('failed', 'reversed');
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.payout_stages
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON billing.payout_events
    FOR EACH STATEMENT EXECUTE FUNCTION billing.refuse_change();

-- A payout goes no way but those, is about the same money from its beginning to its end, and leaves a row of each step.
CREATE FUNCTION billing.note_payout() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_from text := 'none';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        v_from := OLD.state;
        IF (NEW.run_id, NEW.account_id, NEW.attempt, NEW.currency, NEW.amount_minor, NEW.rail_id, NEW.needs_review,
            NEW.needs_second)
            IS DISTINCT FROM (OLD.run_id, OLD.account_id, OLD.attempt, OLD.currency, OLD.amount_minor, OLD.rail_id,
                              OLD.needs_review, OLD.needs_second)
            OR NEW.back_minor < OLD.back_minor
            OR NEW.object_id IS DISTINCT FROM coalesce(OLD.object_id, NEW.object_id) THEN
            RAISE EXCEPTION 'what the payout % is about does not change', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_kept';
        ELSIF (NEW.state, NEW.reason, NEW.back_minor, NEW.approved_by, NEW.seconded_by)
            IS NOT DISTINCT FROM (OLD.state, OLD.reason, OLD.back_minor, OLD.approved_by, OLD.seconded_by) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF NEW.state <> v_from
        AND NOT EXISTS (SELECT FROM billing.payout_stages s WHERE (s.from_state, s.to_state) = (v_from, NEW.state)) THEN
        RAISE EXCEPTION 'a payout does not go from % to %', v_from, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_stages';
    END IF;
    INSERT INTO billing.payout_events (payout_id, number, from_state, to_state, reason, says, actor, at)
    SELECT NEW.id, count(*) + 1, v_from, NEW.state, NEW.reason, NEW.says, NEW.moved_by, NEW.moved_at
    FROM billing.payout_events e WHERE e.payout_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER note_payout AFTER INSERT OR UPDATE ON billing.payouts
    FOR EACH ROW EXECUTE FUNCTION billing.note_payout();

-- The place of a rail is said once, and what has ended does not begin again.
CREATE FUNCTION billing.keep_payout_rail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.account_id, NEW.kind, NEW.holder, NEW.country, NEW.bic)
        IS DISTINCT FROM (OLD.account_id, OLD.kind, OLD.holder, OLD.country, OLD.bic)
        OR NEW.destination IS DISTINCT FROM coalesce(OLD.destination, NEW.destination)
        OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
        RAISE EXCEPTION 'the place of the rail % does not change', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_rails_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_payout_rail BEFORE UPDATE ON billing.payout_rails
    FOR EACH ROW EXECUTE FUNCTION billing.keep_payout_rail();

-- The bytes of a file are what was handed on.
CREATE FUNCTION billing.keep_payout_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.kind, NEW.currency, NEW.lines, NEW.amount_minor, NEW.content)
        IS DISTINCT FROM (OLD.kind, OLD.currency, OLD.lines, OLD.amount_minor, OLD.content)
        OR (OLD.handed_at IS NOT NULL AND NEW.handed_at IS DISTINCT FROM OLD.handed_at)
        OR (OLD.cancelled_at IS NOT NULL AND NEW.cancelled_at IS DISTINCT FROM OLD.cancelled_at) THEN
        RAISE EXCEPTION 'the file % stays as it was made', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_files_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_payout_file BEFORE UPDATE ON billing.payout_files
    FOR EACH ROW EXECUTE FUNCTION billing.keep_payout_file();
